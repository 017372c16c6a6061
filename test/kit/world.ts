import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../packages/server/src/config/index.ts';
import { type Server, startServer } from '../../packages/server/src/main.ts';

/** The demo world on a free port of loopback, with its data in a folder of its own. */
export interface World extends AsyncDisposable {
  readonly server: Server;
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  readonly port: number;
  /** Stops the server and starts it again on the same data and port. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** `env`: settings as the server reads them, such as `TIELINE_TAPI_SERVER`. */
export async function startWorld(env: Readonly<Record<string, string>> = {}): Promise<World> {
  const data = await mkdtemp(join(tmpdir(), 'tieline-world-'));
  const start = (port: number): Promise<Server> =>
    startServer(
      loadConfig({
        env: {
          TIELINE_DEMO: '1',
          TIELINE_DATA: data,
          TIELINE_LOG_LEVEL: 'error',
          TIELINE_HTTP_DRAIN_MS: '200',
          HOST: '127.0.0.1',
          PORT: String(port),
          SIP_PORT: '0',
          ...env,
        },
      }),
    );
  let server = await start(0);
  const { port } = server;
  const world: World = {
    get server() {
      return server;
    },
    url: `http://127.0.0.1:${port}`,
    port,
    async restart() {
      await server.close();
      server = await start(port);
    },
    async close() {
      await server.close();
      await rm(data, { recursive: true, force: true });
    },
    [Symbol.asyncDispose]: () => world.close(),
  };
  return world;
}
