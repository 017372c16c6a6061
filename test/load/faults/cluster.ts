import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NatsServer } from '../../kit/nats-server.ts';
import { PostgresServer } from '../../kit/postgres.ts';
import { ServerProcess } from '../../kit/server-process.ts';
import type { Fault } from './run.ts';
import type { Doors } from './traffic.ts';

/** Real processes: nodes of the demo world on one PostgreSQL and one NATS, and what can go wrong with each. */
export class FaultCluster implements Doors, AsyncDisposable {
  readonly postgres: PostgresServer;
  readonly #nats: NatsServer;
  readonly #nodes: readonly ServerProcess[];
  readonly #living = new Set<ServerProcess>();
  readonly #database: string;
  readonly #owned: AsyncDisposableStack;

  private constructor(
    parts: { postgres: PostgresServer; nats: NatsServer; nodes: readonly ServerProcess[]; database: string },
    owned: AsyncDisposableStack,
  ) {
    this.postgres = parts.postgres;
    this.#nats = parts.nats;
    this.#nodes = parts.nodes;
    this.#database = parts.database;
    this.#owned = owned;
    for (const node of parts.nodes) this.#living.add(node);
  }

  static async start(count: number): Promise<FaultCluster> {
    await using opening = new AsyncDisposableStack();
    const postgres = opening.use(await PostgresServer.start());
    const nats = opening.use(await NatsServer.start());
    const blobs = await mkdtemp(join(tmpdir(), 'tieline-blobs-'));
    opening.defer(() => rm(blobs, { recursive: true, force: true }));
    const database = await postgres.createDatabase();
    const env = {
      TIELINE_DATABASE_URL: database,
      TIELINE_BUS_URL: nats.url,
      TIELINE_BLOBS_URL: `file://${blobs}`,
      TIELINE_SECRET_KEY: randomBytes(32).toString('base64'),
    };
    const nodes: ServerProcess[] = [];
    for (let i = 0; i < count; i++) nodes.push(opening.use(await ServerProcess.start(env)));
    return new FaultCluster({ postgres, nats, nodes, database }, opening.move());
  }

  doorsFor(preferred: number): readonly ServerProcess[] {
    const first = this.#nodes[preferred % this.#nodes.length];
    return [...this.#nodes]
      .sort((a, b) => Number(b === first) - Number(a === first))
      .filter((n) => this.#living.has(n));
  }

  /** In the order in which a run goes through them. */
  faults(): readonly Fault[] {
    const last = this.#nodes.length - 1;
    return [
      { name: `node ${last + 1} is killed with -9, and comes back`, run: () => this.#restart(last, 'SIGKILL') },
      { name: 'NATS is killed, and comes back', run: () => this.#restartNats() },
      { name: 'PostgreSQL is restarted', run: () => this.#restartPostgres('stop') },
      { name: `node ${last + 1} is drained by SIGTERM, and comes back`, run: () => this.#restart(last, 'SIGTERM') },
      { name: 'PostgreSQL is killed with all its processes, and comes back', run: () => this.#restartPostgres('kill') },
      { name: 'node 1 is killed with -9, and comes back', run: () => this.#restart(0, 'SIGKILL') },
    ];
  }

  /** Figures of each node that tell of growth. */
  async figures(): Promise<readonly { readonly rssMiB: number; readonly handles: number }[]> {
    return Promise.all(
      this.#nodes.map(async (node) => ({
        rssMiB: Math.round((await node.memory()) / 2 ** 20),
        handles: await node.figure('tieline_process_active_resources'),
      })),
    );
  }

  /** Rows of every table. */
  async rows(): Promise<Readonly<Record<string, number>>> {
    const tables = await this.postgres.run(
      "select table_name as name from information_schema.tables where table_schema = 'public' order by 1",
      this.#database,
    );
    const counts: Record<string, number> = {};
    for (const { name } of tables) {
      const [row] = await this.postgres.run(`select count(*) as n from ${String(name)}`, this.#database);
      counts[String(name)] = Number(row?.['n']);
    }
    return counts;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#owned.disposeAsync();
  }

  async #restart(index: number, signal: NodeJS.Signals): Promise<void> {
    const node = this.#nodes[index];
    if (node === undefined) return;
    this.#living.delete(node);
    await node.stop(signal);
    await node.start();
    this.#living.add(node);
  }

  async #restartNats(): Promise<void> {
    await this.#nats.kill();
    await this.#nats.start();
  }

  async #restartPostgres(how: 'stop' | 'kill'): Promise<void> {
    await this.postgres[how]();
    await this.postgres.start();
  }
}
