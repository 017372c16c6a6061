import type { JsonObject } from '../wire/envelope.ts';
import type { ReceivedLogin } from './received-login.ts';
import { appNameOf } from './received-login.ts';

/** Who is at the other end of an accepted connection. */
export interface AppIdentity {
  /** Name of the app, a `.htm` suffix stripped. */
  readonly app: string;
  readonly domain: string;
  readonly sip: string;
  readonly guid: string;
  readonly dn: string;
  readonly pbxObj: string | undefined;
  readonly info: JsonObject | undefined;
  /** JSON text of `info` as it was received. */
  readonly infoText: string | undefined;
  /** The App object itself logged in, so this may be a PBX (AW §3.5: no `pbxObj`, `sip == info.appobj`). */
  readonly isAppObject: boolean;
  /**
   * Somebody other than the App object logged in with a digest that the PBX issued (AW §3.8). Told by the signed members alone:
   * `pbxObj` is not signed, so leaving it out or changing it makes nobody an App object.
   */
  readonly isPbxUser: boolean;
}

/** Who a login says he is; the digest has been checked before. */
export function identityOf(login: ReceivedLogin): AppIdentity {
  const { domain, sip, guid, dn, pbxObj, info, infoTexts } = login;
  const appobj = info?.['appobj'];
  return {
    app: appNameOf(login),
    domain,
    sip,
    guid,
    dn,
    pbxObj,
    info,
    infoText: infoTexts[0],
    isAppObject: pbxObj === undefined && sip !== '' && sip === appobj,
    isPbxUser: typeof appobj === 'string' && sip !== appobj,
  };
}

/** Re-login on a connection that stands succeeds for the same identity only (AW §8.4). `info` may have changed. */
export function isSameIdentity(a: AppIdentity, b: AppIdentity): boolean {
  const members = ['app', 'domain', 'sip', 'guid', 'dn', 'pbxObj', 'isAppObject', 'isPbxUser'] as const;
  return members.every((member) => a[member] === b[member]);
}
