import { AppWebsocketError } from './errors.ts';

/** Where the PBX connects for an App object, and as which app (AW §7.2). */
export interface AppTarget {
  readonly websocketUrl: string;
  readonly app: string;
}

/** `http` becomes `ws`; `ws` and `wss` stay (AW §6.2). Throws `bad-url`. */
export function toWebsocketUrl(url: string): string {
  const match = /^(?:ws|http)(s?:\/\/[^/\s].*)$/i.exec(url);
  if (match === null) throw new AppWebsocketError('bad-url', { reason: url });
  return `ws${match[1] as string}`;
}

/**
 * App URL to WebSocket URL: the last path segment is the app, the rest without a slash is where to connect.
 * A `.htm` suffix stays in `app`, as configured (AW §3.9).
 * @example targetOfAppUrl('https://h/d/tool/acme-tool') // { websocketUrl: 'wss://h/d/tool', app: 'acme-tool' }
 */
export function targetOfAppUrl(appUrl: string): AppTarget {
  const url = toWebsocketUrl(appUrl)
    .replace(/[?#].*$/, '')
    .replace(/\/+$/, '');
  const slash = url.lastIndexOf('/');
  if (slash < url.indexOf('://') + 3) throw new AppWebsocketError('bad-url', { reason: appUrl });
  return { websocketUrl: url.slice(0, slash), app: url.slice(slash + 1) };
}
