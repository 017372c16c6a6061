import { createMemoryBell } from './adapters/bus-memory/index.ts';
import { createStoreSql } from './adapters/store-sql/index.ts';
import type { Administration, NewApp, NewDevice } from './cli/administration.ts';
import type { Config } from './config/index.ts';
import {
  countSealed,
  createDirectory,
  createLoginGuard,
  createPasswords,
  createVault,
  resealAll,
  type User,
} from './core/directory/index.ts';
import { randomIds, systemClock } from './kit/index.ts';
import { storePlace } from './store-place.ts';
import { rotatedKeys, secretKeys } from './secret-keys.ts';

/** Accounts read at once. */
const PAGE = 500;

/** Opens the store that the settings name, making it where it is missing. @throws store-in-use while a server has it */
export async function openAdministration(config: Config): Promise<Administration> {
  const clock = systemClock;
  const ids = randomIds;
  const sql = await createStoreSql({ ...storePlace(config.database), bell: createMemoryBell(), clock, ids });
  const { store } = sql;
  const directory = createDirectory({
    store,
    vault: createVault(secretKeys(config)),
    passwords: createPasswords(),
    guard: createLoginGuard(clock),
    clock,
    ids,
  });

  async function allUsers(): Promise<readonly User[]> {
    const users: User[] = [];
    for (;;) {
      const page = await directory.users({ search: null, after: users.at(-1)?.cn ?? null, limit: PAGE });
      users.push(...page);
      if (page.length < PAGE) return users.sort((a, b) => (a.name < b.name ? -1 : 1));
    }
  }

  return {
    isEmpty: () => directory.isEmpty(),
    addUser: (user) => directory.addUser(user),
    users: allUsers,
    async setPassword(name, password) {
      const user = await directory.requireUser({ by: 'name', value: name });
      await directory.changeUser(user.id, {}, password);
    },
    addApp: ({ secret, ...app }: NewApp) => directory.addApp({ ...app, isHidden: false }, secret),
    apps: () => directory.apps(),
    async addDevice({ user, secret, ...device }: NewDevice) {
      const owner = await directory.requireUser({ by: 'name', value: user });
      const made = { ...device, user: owner.id };
      await directory.addDevice(made, secret);
      return made;
    },
    async devices(name) {
      const owners = name === null ? await allUsers() : [await directory.requireUser({ by: 'name', value: name })];
      const lists = await Promise.all(
        owners.map(async (owner) =>
          (await directory.devices(owner.id)).map((device) => ({ ...device, userName: owner.name })),
        ),
      );
      return lists.flat();
    },
    async sealedSecrets() {
      const vault = createVault(secretKeys(config));
      const counts = await countSealed(store, vault);
      const here = vault.keyIds.map((key, i) => ({ key, isHere: true, seals: i === 0, secrets: counts.get(key) ?? 0 }));
      const others = [...counts].filter(([key]) => !vault.keyIds.includes(key));
      return [...here, ...others.map(([key, secrets]) => ({ key, isHere: false, seals: false, secrets }))];
    },
    rotateSecrets: () => resealAll(store, createVault(rotatedKeys(config))),
    [Symbol.asyncDispose]: () => sql.close(),
  };
}
