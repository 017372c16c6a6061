import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto';
import { unsealable } from './errors.ts';
import type { Sealed } from './ports.ts';

/** Seals the secrets that protocols need in the clear: App objects, devices (design §7). */
export interface Vault {
  /** Ids of the keys that are here; the first one's seals. */
  readonly keyIds: readonly string[];
  /** Which key it was sealed under. */
  keyIdOf(sealed: Sealed): string;
  seal(secret: string): Sealed;
  /** @throws unsealable where it was sealed under a key that is not here, or was changed */
  open(sealed: Sealed): string;
  /** A secret derived from the key and a purpose: the same on every node. */
  derive(purpose: string): string;
  /** The same from each of the keys, that of the first first: what one of them has signed is accepted while keys are replaced. */
  deriveAll(purpose: string): readonly [string, ...string[]];
}

/** `keys`: 32 bytes each; the first seals, all open (rotation). */
export function createVault(keys: readonly [Uint8Array, ...Uint8Array[]]): Vault {
  const byId = new Map(keys.map((key) => [createHash('sha256').update(key).digest('hex').slice(0, 8), key]));
  const [current] = keys;
  const [currentId = ''] = byId.keys();
  const derive = (purpose: string, key: Uint8Array): string =>
    createHmac('sha256', key).update(purpose).digest('base64url');
  return {
    keyIds: [...byId.keys()],
    keyIdOf,
    seal(secret) {
      const iv = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', current, iv);
      const bytes = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
      return `${currentId}.${Buffer.concat([iv, cipher.getAuthTag(), bytes]).toString('base64')}`;
    },
    open(sealed) {
      const key = byId.get(keyIdOf(sealed));
      const bytes = Buffer.from(sealed.slice(sealed.indexOf('.') + 1), 'base64');
      if (key === undefined || bytes.length < 28) throw unsealable();
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12));
      decipher.setAuthTag(bytes.subarray(12, 28));
      try {
        return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8');
      } catch (error) {
        throw Object.assign(unsealable(), { cause: error });
      }
    },
    derive: (purpose) => derive(purpose, current),
    deriveAll: (purpose) => [derive(purpose, current), ...keys.slice(1).map((key) => derive(purpose, key))],
  };
}

function keyIdOf(sealed: Sealed): string {
  return sealed.split('.', 1)[0] ?? '';
}
