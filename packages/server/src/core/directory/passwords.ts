import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { BoundedQueue, type Deferred, deferred } from '../../kit/index.ts';
import { busy } from './errors.ts';

/** argon2id with 19 MiB and 2 passes: about 45 ms of one core, the floor that OWASP recommends. */
const COST = { memory: 19_456, passes: 2, parallelism: 1 };
const SALT_BYTES = 16;
const TAG_BYTES = 32;
/**
 * Hashes at once: each holds 19 MiB and a core.
 * @peer waits
 * @test secrets: hashes wait in a bounded queue
 */
const MAX_RUNNING = 2;
/**
 * Waiting hashes: at 45 ms each on two lanes this is some 12 s, longer than anybody waits.
 * @peer 503 `busy`, ERROR `busy`
 * @test secrets: hashes wait in a bounded queue
 */
const MAX_WAITING = 500;

/** Hashes and checks passwords, two at a time, from a bounded queue. */
export interface Passwords {
  /** @returns `argon2id$m=…,t=…,p=…$salt$tag` @throws busy */
  hash(password: string): Promise<string>;
  /** Takes as long for a null hash (unknown account) as for a wrong password. @throws busy */
  verify(password: string, hash: string | null): Promise<boolean>;
}

export function createPasswords(maxWaiting = MAX_WAITING): Passwords {
  const waiting = new BoundedQueue<Deferred<void>>(maxWaiting);
  let running = 0;

  async function derive(password: string, salt: Buffer, cost: typeof COST): Promise<Buffer> {
    if (running >= MAX_RUNNING) {
      const turn = deferred<void>();
      if (!waiting.push(turn)) throw busy();
      await turn.promise;
    } else running++;
    try {
      return await new Promise<Buffer>((resolve, reject) => {
        const message = Buffer.from(password, 'utf8');
        argon2('argon2id', { ...cost, message, nonce: salt, tagLength: TAG_BYTES }, (error, tag) =>
          error === null ? resolve(tag) : reject(error),
        );
      });
    } finally {
      const next = waiting.shift();
      if (next === undefined) running--;
      else next.resolve();
    }
  }

  return {
    async hash(password) {
      const salt = randomBytes(SALT_BYTES);
      const tag = await derive(password, salt, COST);
      const { memory, passes, parallelism } = COST;
      return `argon2id$m=${memory},t=${passes},p=${parallelism}$${salt.toString('base64')}$${tag.toString('base64')}`;
    },
    async verify(password, hash) {
      const known = hash === null ? null : parseHash(hash);
      const { cost, salt, tag } = known ?? { cost: COST, salt: Buffer.alloc(SALT_BYTES), tag: Buffer.alloc(TAG_BYTES) };
      const derived = await derive(password, salt, cost);
      return timingSafeEqual(derived, tag) && known !== null;
    },
  };
}

function parseHash(text: string): { cost: typeof COST; salt: Buffer; tag: Buffer } | null {
  const match = /^argon2id\$m=(\d+),t=(\d+),p=(\d+)\$([^$]+)\$([^$]+)$/.exec(text);
  const [, memory, passes, parallelism, salt, tag] = match ?? [];
  if (salt === undefined || tag === undefined) return null;
  return {
    cost: { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) },
    salt: Buffer.from(salt, 'base64'),
    tag: Buffer.from(tag, 'base64'),
  };
}
