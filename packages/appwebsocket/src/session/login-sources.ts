import type { Credentials } from '../handshake/initiator-model.ts';
import type { JsonObject } from '../wire/envelope.ts';
import { isObject, textOf } from '../wire/envelope.ts';
import { AppWebsocketError } from '../wire/errors.ts';
import type { ServiceLoginResult } from './apis.ts';
import type { LoginSource, SessionOptions } from './session.ts';
import { AppSession } from './session.ts';

/** How long the myApps window may take to answer. */
const PARENT_TIMEOUT_MS = 30_000;

/** What `auth()` needs from a `GetServiceLoginResult` or a `Login` window message; `key` in the clear. */
export function credentialsFrom(login: JsonObject, key: string | undefined): Credentials {
  const { domain, sip, guid, dn, pbxObj, app, info, digest } = login;
  return {
    domain: textOf(domain),
    sip: textOf(sip),
    guid: textOf(guid),
    dn: textOf(dn),
    pbxObj: textOf(pbxObj),
    app: textOf(app),
    info: isObject(info) ? JSON.stringify(info) : undefined,
    digest: textOf(digest),
    key,
  };
}

/**
 * Logs in at another app service with a digest from the PBX (AW §6.3). `pbx` is a session of an App object that has
 * the Services API; `name` is the service's App object.
 */
export function loginFromServices(pbx: AppSession, name: string): LoginSource {
  return async (_app, challenge) => {
    const login: ServiceLoginResult = await pbx.request('Services', 'GetServiceLogin', { app: name, challenge });
    return credentialsFrom({ ...login }, pbx.decrypt(login.salt, login.key));
  };
}

/**
 * Opens a session at the app service `name`: finds its URL with the Services API and logs in through the PBX.
 * Rejects with `request-refused` when the PBX does not list it.
 */
export async function openService(
  pbx: AppSession,
  name: string,
  options: Omit<SessionOptions, 'url' | 'app' | 'login'> = {},
): Promise<AppSession> {
  const listed = pbx.subscribe('Services', 'SubscribeServices', {});
  for await (const { services } of listed) {
    const service = services?.find((candidate) => candidate.name === name);
    if (service === undefined) break;
    // The whole App URL, as every known consumer does (AW §6.2).
    return AppSession.open({ ...options, url: service.url, app: name, login: loginFromServices(pbx, name) });
  }
  throw new AppWebsocketError('request-refused', { reason: `no service ${name}` });
}

/** The windows of a page inside myApps, as far as they are needed. */
export interface AppWindow {
  readonly parent: { postMessage(message: string, target: string): void };
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  removeEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
}

/**
 * For a page that myApps shows: asks the window around it for the login (AW §3.9). `appObj` is the App object's
 * name, which myApps passes in the page's URL as `name`.
 * @example login: loginFromMyApps(new URLSearchParams(location.search).get('name') ?? '')
 */
export function loginFromMyApps(appObj: string, page: AppWindow = window): LoginSource {
  return (_app, challenge) =>
    new Promise((resolve, reject) => {
      const src = String(Math.random()).slice(2, 8);
      const onMessage = ({ data }: { readonly data: unknown }): void => {
        const message = parseWindowMessage(data);
        if (message?.['mt'] !== 'Login' || message['pbxObj'] !== appObj) return;
        // Older windows send no src (AW §3.9).
        if (textOf(message['src']) !== '' && message['src'] !== src) return;
        settle();
        const { key, error, errorText } = message;
        if (error !== undefined && error !== 0)
          reject(new AppWebsocketError('login-failed', { reason: textOf(errorText) }));
        else resolve(credentialsFrom({ ...message, pbxObj: appObj }, textOf(key) || undefined));
      };
      const timer = setTimeout(() => {
        settle();
        reject(new AppWebsocketError('login-timeout'));
      }, PARENT_TIMEOUT_MS);
      const settle = (): void => {
        clearTimeout(timer);
        page.removeEventListener('message', onMessage);
      };
      page.addEventListener('message', onMessage);
      page.parent.postMessage(JSON.stringify({ mt: 'getLogin', src, app: appObj, challenge }), '*');
    });
}

function parseWindowMessage(data: unknown): JsonObject | undefined {
  if (typeof data !== 'string') return isObject(data) ? data : undefined;
  try {
    const value: unknown = JSON.parse(data);
    return isObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
