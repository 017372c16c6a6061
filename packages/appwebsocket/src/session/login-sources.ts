import type { Credentials } from '../handshake/initiator-model.ts';
import type { JsonObject } from '../wire/envelope.ts';
import { isObject, textOf } from '../wire/envelope.ts';
import { AppWebsocketError } from '../wire/errors.ts';
import type { ServiceLoginResult } from './apis/index.ts';
import type { LoginSource, SessionOptions } from './session.ts';
import { AppSession } from './session.ts';

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
  return async (_app, challenge, signal) => {
    const login: ServiceLoginResult = await pbx.request(
      'Services',
      'GetServiceLogin',
      { app: name, challenge },
      { signal },
    );
    return credentialsFrom({ ...login }, pbx.decrypt(login.salt, login.key));
  };
}

/**
 * Opens a session at the app service `name`: finds its URL with the Services API and logs in through the PBX.
 * Rejects with `request-refused` when the PBX does not list it, and like `request()` and {@link AppSession.open}.
 */
export async function openService(
  pbx: AppSession,
  name: string,
  options: Omit<SessionOptions, 'url' | 'app' | 'login'> = {},
): Promise<AppSession> {
  const listed = pbx.subscribe('Services', 'SubscribeServices');
  for await (const { services } of listed) {
    const service = services?.find((candidate) => candidate.name === name);
    if (service === undefined) break;
    // The whole App URL, as every known consumer does (AW §6.2).
    return AppSession.open({ ...options, url: service.url, app: name, login: loginFromServices(pbx, name) });
  }
  throw listed.endedBy ?? new AppWebsocketError('request-refused', { reason: `no service ${name}` });
}
