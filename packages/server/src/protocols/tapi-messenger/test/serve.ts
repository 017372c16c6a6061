import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

export interface Mounted {
  handleRequest(req: IncomingMessage, res: ServerResponse): boolean;
  handleUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): boolean;
  close(): Promise<void>;
}

export interface Served extends AsyncDisposable {
  readonly port: number;
  /** `http://127.0.0.1:port` */
  readonly url: string;
  readonly server: Server;
}

/** A plain HTTP server on a free port in front of some endpoints, as the product's listener would dispatch to them. */
export async function serve(endpoints: readonly Mounted[]): Promise<Served> {
  const server = createServer((req, res) => {
    if (endpoints.some((endpoint) => endpoint.handleRequest(req, res))) return;
    res.writeHead(404);
    res.end();
  });
  server.on('upgrade', (req, socket, head) => {
    if (!endpoints.some((endpoint) => endpoint.handleUpgrade(req, socket, head))) socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    server,
    async [Symbol.asyncDispose]() {
      await Promise.all(endpoints.map((endpoint) => endpoint.close()));
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
