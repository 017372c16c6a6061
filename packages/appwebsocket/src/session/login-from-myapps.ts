import { parseObject, textOf } from '../wire/envelope.ts';
import { AppWebsocketError } from '../wire/errors.ts';
import { credentialsFrom } from './login-sources.ts';
import type { LoginSource } from './session.ts';

interface WindowMessage {
  readonly data: unknown;
  readonly source?: unknown;
}

/** The windows of a page inside myApps, as far as they are needed. */
export interface AppWindow {
  readonly parent: { postMessage(message: string, target: string): void };
  addEventListener(type: 'message', listener: (event: WindowMessage) => void): void;
  removeEventListener(type: 'message', listener: (event: WindowMessage) => void): void;
}

/**
 * For a page that myApps shows: asks the window around it for the login (AW §3.9). `appObj` is the App object's
 * name, which myApps passes in the page's URL as `name`.
 * @example login: loginFromMyApps(new URLSearchParams(location.search).get('name') ?? '')
 */
export function loginFromMyApps(appObj: string, page: AppWindow = thisWindow()): LoginSource {
  return (_app, challenge, signal) =>
    new Promise((resolve, reject) => {
      const src = String(Math.random()).slice(2, 8);
      const settle = (): void => {
        page.removeEventListener('message', onMessage);
        signal.removeEventListener('abort', onAbort);
      };
      const onAbort = (): void => {
        settle();
        reject(new AppWebsocketError('aborted'));
      };
      const onMessage = ({ data, source }: WindowMessage): void => {
        const message = typeof data === 'string' && source === page.parent ? parseObject(data) : undefined;
        if (message?.['mt'] !== 'Login') return;
        const { key, error, errorText, pbxObj } = message;
        // Older windows send no src (AW §3.9).
        if (message['src'] !== src && (textOf(message['src']) !== '' || pbxObj !== appObj)) return;
        settle();
        if (error === undefined || error === 0)
          resolve(credentialsFrom({ ...message, pbxObj: appObj }, textOf(key) || undefined));
        else reject(new AppWebsocketError('login-failed', { reason: textOf(errorText) || textOf(error) }));
      };
      page.addEventListener('message', onMessage);
      signal.addEventListener('abort', onAbort);
      page.parent.postMessage(JSON.stringify({ mt: 'getLogin', src, app: appObj, challenge }), '*');
    });
}

function thisWindow(): AppWindow {
  const { window: page } = globalThis as { readonly window?: AppWindow };
  if (page !== undefined) return page;
  throw new AppWebsocketError('login-failed', { reason: 'there is no window here' });
}
