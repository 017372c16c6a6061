import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CuttingProxy } from './cutting-proxy.ts';
import { NatsServer } from './nats-server.ts';
import { POSTGRES_PROGRAMS, PostgresServer } from './postgres.ts';
import { ServerProcess } from './server-process.ts';
import { until } from './wait.ts';

/** What a suite with a cluster needs: for `describeWithPeers`. */
export const CLUSTER_PROGRAMS = ['nats-server', ...POSTGRES_PROGRAMS] as const;

const NATS_USER = 'tieline';

/** One node of a cluster, and its own ways to NATS and to PostgreSQL, which can be blocked. */
export interface ClusterNode {
  readonly server: ServerProcess;
  readonly toNats: CuttingProxy;
  readonly toPostgres: CuttingProxy;
}

/**
 * Several nodes of one demo world as people run it: processes of their own on one PostgreSQL and one NATS. Each is the `ServerProcess`
 * that it is: `stop('SIGKILL')`, `stop()` and `start()` on the same port.
 */
export class ProcessCluster implements AsyncDisposable {
  readonly postgres: PostgresServer;
  readonly nats: NatsServer;
  readonly nodes: ClusterNode[] = [];
  readonly #env: Readonly<Record<string, string>>;
  readonly #secrets: readonly string[];
  readonly #opened: AsyncDisposableStack;

  private constructor(parts: {
    readonly postgres: PostgresServer;
    readonly nats: NatsServer;
    readonly env: Readonly<Record<string, string>>;
    readonly secrets: readonly string[];
    readonly opened: AsyncDisposableStack;
  }) {
    this.postgres = parts.postgres;
    this.nats = parts.nats;
    this.#env = parts.env;
    this.#secrets = parts.secrets;
    this.#opened = parts.opened;
  }

  /** `env`: settings of all nodes. */
  static async start(count: number, env: Readonly<Record<string, string>> = {}): Promise<ProcessCluster> {
    await using opening = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), 'tieline-cluster-'));
    opening.defer(() => rm(folder, { recursive: true, force: true }));
    const [password, key] = [randomBytes(12).toString('hex'), randomBytes(32).toString('base64')];
    const postgres = opening.use(await PostgresServer.start());
    const nats = opening.use(await NatsServer.start('--user', NATS_USER, '--pass', password));
    const all = {
      TIELINE_SECRET_KEY: key,
      TIELINE_BLOBS_URL: pathToFileURL(join(folder, 'blobs')).href,
      TIELINE_LOG_LEVEL: 'info',
      TIELINE_LOG_FORMAT: 'json',
      ...env,
    };
    const secrets = [password, key];
    const cluster = new ProcessCluster({ postgres, nats, env: all, secrets, opened: opening.move() });
    try {
      await postgres.createDatabase('tieline');
      // At once: of nodes that find an empty database one makes it.
      await Promise.all(Array.from({ length: count }, () => cluster.add()));
      await cluster.settled();
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
    return cluster;
  }

  /** One node more. */
  async add(env: Readonly<Record<string, string>> = {}): Promise<ClusterNode> {
    const toNats = this.#opened.use(await CuttingProxy.to(this.nats.port));
    const toPostgres = this.#opened.use(await CuttingProxy.to(this.postgres.port));
    const natsUrl = this.nats.url.replace('//', `//${NATS_USER}:${this.#secrets[0]}@`);
    const server = this.#opened.use(
      await ServerProcess.start({
        ...this.#env,
        TIELINE_DATABASE_URL: this.postgres.url('tieline').replace(`:${this.postgres.port}/`, `:${toPostgres.port}/`),
        TIELINE_BUS_URL: natsUrl.replace(`:${this.nats.port}`, `:${toNats.port}`),
        ...env,
      }),
    );
    const node = { server, toNats, toPostgres };
    this.nodes.push(node);
    return node;
  }

  /** Waits until the nodes that run know each other. */
  async settled(count = this.nodes.length): Promise<void> {
    await until(
      async () => {
        for (const { server } of this.nodes.filter((node) => node.server.isRunning))
          for (const name of ['tieline_cluster_nodes', 'tieline_cluster_nodes_heard'])
            if ((await server.figure(name)) !== count) return false;
        return true;
      },
      `${count} nodes to know each other`,
      60_000,
    );
  }

  /** Ends everything. @throws where a log shows a secret */
  async [Symbol.asyncDispose](): Promise<void> {
    const logs = this.nodes.map(({ server }) => server.output);
    await this.#opened.disposeAsync();
    for (const log of logs)
      for (const secret of this.#secrets) if (log.includes(secret)) throw new Error('a log shows a secret');
  }
}
