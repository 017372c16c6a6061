import { once } from 'node:events';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import type { AppService } from '../../src/service/app-service.ts';

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));

/** What a page gets when it bundles `code`, minified. Paths in it are relative to `src`. */
export async function bundle(code: string, conditions = ['source', 'browser']): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: SRC, loader: 'ts' },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    conditions,
    write: false,
    logLevel: 'error',
  });
  return outputFiles[0]!.text;
}

export const gzippedBytes = (text: string): number => gzipSync(text, { level: 9 }).length;

/** Serves pages and scripts by path, and a service's WebSockets; with a certificate over https. */
export class Site implements AsyncDisposable {
  readonly origin: string;
  private readonly server: Server;

  private constructor(server: Server, scheme: string) {
    this.server = server;
    this.origin = `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(
    files: Readonly<Record<string, string>>,
    service: AppService,
    tls?: { readonly key: string; readonly cert: string },
  ): Promise<Site> {
    const serve: Parameters<typeof createServer>[1] = ({ url = '/' }, response) => {
      const path = new URL(url, 'http://x').pathname;
      const body = files[path];
      if (body === undefined) return void response.writeHead(404).end();
      const type = path.endsWith('.js') ? 'text/javascript' : 'text/html';
      response.writeHead(200, { 'Content-Type': `${type}; charset=utf-8` }).end(body);
    };
    const server = tls === undefined ? createServer(serve) : createSecureServer(tls, serve);
    service.mount(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Site(server, tls === undefined ? 'http' : 'https');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}
