import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import { type Http, PAGE_POLICY } from './http/index.ts';

/** Where the build of the web client lies. */
export const WEB_CLIENT = fileURLToPath(new URL('../../web/dist', import.meta.url));

/** Serves the web client at `/`. @returns false where it has not been built */
export function mountPages(http: Pick<Http, 'app'>, folder: string = WEB_CLIENT): boolean {
  if (!existsSync(folder)) return false;
  http.app.register(fastifyStatic, {
    root: folder,
    wildcard: false,
    index: 'index.html',
    // Names of assets hold a hash of their content; the page itself is asked for every time.
    setHeaders(res, path) {
      res.header('content-security-policy', PAGE_POLICY);
      res.header('cache-control', path.includes('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
  return true;
}
