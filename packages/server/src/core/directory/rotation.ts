import type { Store } from '../journal/index.ts';
import type { DirectoryQueries, DirectoryUnits, SealedSecret, SecretOwner } from './ports.ts';
import type { Vault } from './vault.ts';

/** Secrets read, and sealed anew in one unit of work, at a time. */
const PAGE = 500;

type DirectoryStore = Store<DirectoryUnits, DirectoryQueries>;

/** How many secrets are sealed under each key, by the key's id. */
export async function countSealed(store: DirectoryStore, vault: Vault): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for await (const { secrets } of pages(store))
    for (const { secret } of secrets) {
      const id = vault.keyIdOf(secret);
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
  return counts;
}

/**
 * Seals anew, under the vault's first key, whatever is sealed under another that is here. Secrets of keys that are not here stay
 * as they are. It may run while nodes serve, and be stopped and run again.
 * @returns how many were sealed anew
 */
export async function resealAll(store: DirectoryStore, vault: Vault): Promise<number> {
  const former = vault.keyIds.slice(1);
  let resealed = 0;
  for await (const { kind, secrets } of pages(store)) {
    const due = secrets.filter(({ secret }) => former.includes(vault.keyIdOf(secret)));
    if (due.length === 0) continue;
    resealed += await store.write('directory.reseal', {
      kind,
      secrets: due.map(({ owner, secret }) => ({ owner, from: secret, to: vault.seal(vault.open(secret)) })),
    });
  }
  return resealed;
}

async function* pages(
  store: DirectoryStore,
): AsyncGenerator<{ readonly kind: SecretOwner; readonly secrets: readonly SealedSecret[] }> {
  for (const kind of ['user', 'device', 'app'] as const) {
    let after: string | null = null;
    for (;;) {
      const secrets: readonly SealedSecret[] = await store.read('directory.sealed', { kind, after, limit: PAGE });
      if (secrets.length > 0) yield { kind, secrets };
      if (secrets.length < PAGE) break;
      after = secrets.at(-1)?.owner ?? null;
    }
  }
}
