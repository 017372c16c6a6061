import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { argon2Sync, randomBytes } from 'node:crypto';
import { createMemoryBell } from '../../../packages/server/src/adapters/bus-memory/index.ts';
import { createStoreSql } from '../../../packages/server/src/adapters/store-sql/index.ts';
import { loadConfig } from '../../../packages/server/src/config/index.ts';
import {
  createDirectory,
  createLoginGuard,
  createVault,
  type Passwords,
} from '../../../packages/server/src/core/directory/index.ts';
import { randomIds, systemClock } from '../../../packages/server/src/kit/index.ts';
import { secretKeys } from '../../../packages/server/src/secret-keys.ts';
import { storePlace } from '../../../packages/server/src/store-place.ts';
import { DOMAIN, PASSWORD, USERS, userName } from '../agent/load.ts';
import { Subject } from './subject.ts';

const BINARY = fileURLToPath(new URL('../../../packages/server/bin/tieline.js', import.meta.url));
const READY = /is ready: http:\/\/[^:]+:(\d+)/;

/** A Tieline with the benchmark's accounts, and settings of its own. */
export class BenchWorld implements AsyncDisposable {
  readonly #env: Readonly<Record<string, string>>;
  readonly #data: string;

  private constructor(data: string, env: Readonly<Record<string, string>>) {
    this.#data = data;
    this.#env = env;
  }

  /** @param env settings besides the benchmark's own, such as TIELINE_DATABASE_URL */
  static async make(env: Readonly<Record<string, string>> = {}): Promise<BenchWorld> {
    const data = await mkdtemp(join(tmpdir(), 'tieline-bench-'));
    const world = new BenchWorld(data, {
      TIELINE_DATA: data,
      TIELINE_DATABASE_URL: `sqlite:${join(data, 'tieline.db')}`,
      TIELINE_BLOBS_URL: `file://${join(data, 'blobs')}`,
      TIELINE_DOMAIN: DOMAIN,
      TIELINE_LOG_LEVEL: 'error',
      // So that one publisher reaches a thousand sessions in ways that are there for everybody.
      TIELINE_DELIVERY_SESSIONS_PER_USER: '10000',
      TIELINE_TAPI_BROKER_CLIENT_PUBLISH: '/topic/**',
      HOST: '127.0.0.1',
      PORT: '0',
      SIP_PORT: '0',
      ...env,
    });
    await world.#addUsers();
    return world;
  }

  /** Starts a node as users start it. */
  start(name = 'Tieline', env: Readonly<Record<string, string>> = {}): Promise<Subject> {
    return Subject.start(name, [process.execPath, BINARY, 'serve'], { ready: READY, env: { ...this.#env, ...env } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#data, { recursive: true, force: true });
  }

  async #addUsers(): Promise<void> {
    const config = loadConfig({ env: this.#env });
    const clock = systemClock;
    const ids = randomIds;
    const sql = await createStoreSql({ ...storePlace(config.database), bell: createMemoryBell(), clock, ids });
    try {
      const vault = createVault(secretKeys(config));
      const guard = createLoginGuard(clock);
      const directory = createDirectory({ store: sql.store, vault, passwords: cheapPasswords(), guard, clock, ids });
      const both = [['u', false] as const, ['s', true] as const];
      const accounts = both.flatMap(([kind, hasStorage]) =>
        Array.from({ length: USERS }, (_, n) => ({ name: userName(kind, n), hasStorage })),
      );
      await Promise.all(
        accounts.map(({ name, hasStorage }) =>
          directory.addUser({ name, displayName: `User ${name}`, number: null, hasStorage, ...SECRETS }),
        ),
      );
    } finally {
      await sql.close();
    }
  }
}

const SECRETS = { password: PASSWORD, digestSecret: PASSWORD };

/** Hashing is not what is measured: one hash for all, at the least that argon2id takes. */
function cheapPasswords(): Passwords {
  const nonce = randomBytes(16);
  const tag = argon2Sync('argon2id', { message: PASSWORD, nonce, memory: 8, passes: 1, parallelism: 1, tagLength: 32 });
  const hash = `argon2id$m=8,t=1,p=1$${nonce.toString('base64')}$${tag.toString('base64')}`;
  return { hash: async () => hash, verify: async () => true };
}

/** A bare server of this folder. */
export function startBare(kind: 'relay' | 'events'): Promise<Subject> {
  const file = new URL(`./bare-${kind}.ts`, import.meta.url).pathname;
  const command = [process.execPath, '--disable-warning=ExperimentalWarning', file] as const;
  return Subject.start(`bare ${kind}`, [...command], { ready: /port (\d+)/ });
}

export function isThere(program: string): boolean {
  return spawnSync(program, ['--version']).error === undefined;
}
