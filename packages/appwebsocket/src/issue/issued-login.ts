import { appLoginDigest, appSessionKey, encryptWith, randomHex } from '../crypto/digests.ts';
import { myAppsAppKey } from '../crypto/myapps.ts';
import { AppWebsocketError } from '../wire/errors.ts';
import { parseObject } from '../wire/envelope.ts';

/** Who logs in where, as a PBX states it. `info` is JSON text, signed and spliced in as it is (AW §3.4 "Generating"). */
export interface IssuedIdentity {
  readonly app?: string | undefined;
  readonly domain?: string | undefined;
  readonly sip?: string | undefined;
  readonly guid?: string | undefined;
  readonly dn?: string | undefined;
  readonly pbxObj?: string | undefined;
  readonly info?: string | undefined;
}

/** The members of `GetServiceLoginResult` and `AppGetLoginResult` behind `api`, `mt` and `src`. */
export interface IssuedLogin {
  readonly domain: string;
  readonly sip: string;
  readonly guid: string;
  readonly dn: string;
  readonly pbxObj: string | undefined;
  readonly app: string;
  /** JSON text; write it into the message with {@link issuedLoginText}. */
  readonly info: string | undefined;
  readonly digest: string;
  readonly salt: string;
  readonly key: string;
}

interface ServiceLoginOptions {
  /** `sip`, `guid`, `dn` of the requesting App object, `app`, `pbxObj`, `info` of the target (AW §6.3 step 2). */
  readonly login: IssuedIdentity;
  readonly challenge: string;
  readonly targetPassword: string;
  /** Session key of the connection that the request came in on. */
  readonly requesterSessionKey: string;
  /** 16 random hex digits unless given. */
  readonly salt?: string | undefined;
}

/** `GetServiceLoginResult` (AW §6.3): a login of one app service at another. */
export function serviceLogin(options: ServiceLoginOptions): IssuedLogin {
  const { login, challenge, targetPassword, requesterSessionKey, salt = randomHex(8) } = options;
  const key = encryptWith(requesterSessionKey, salt, appSessionKey(challenge, targetPassword));
  return issued(login, appLoginDigest(login, challenge, targetPassword), salt, key);
}

interface AppGetLoginOptions {
  /** `sip`, `guid`, `dn` of the user, `app`, `pbxObj`, `info` of the App object (AW §3.9). */
  readonly login: IssuedIdentity;
  readonly challenge: string;
  readonly appPassword: string;
  /** Password of the myApps session the request came in on. */
  readonly sessionPassword: string;
  readonly salt?: string | undefined;
}

/** `AppGetLoginResult` (AW §3.9): a login that a PBX issues to one of its users. */
export function appGetLogin(options: AppGetLoginOptions): IssuedLogin {
  const { login, challenge, appPassword, sessionPassword, salt = randomHex(8) } = options;
  const key = myAppsAppKey(salt, sessionPassword, appSessionKey(challenge, appPassword));
  return issued(login, appLoginDigest(login, challenge, appPassword), salt, key);
}

function issued(login: IssuedIdentity, digest: string, salt: string, key: string): IssuedLogin {
  const { app = '', domain = '', sip = '', guid = '', dn = '', pbxObj, info } = login;
  return { domain, sip, guid, dn, pbxObj, app, info, digest, salt, key };
}

/**
 * Text of the answer that carries an issued login. `head` holds `api`, `mt` and `src`; `info` goes in unchanged,
 * so that the text that was signed is the text that is sent.
 */
export function issuedLoginText(head: Readonly<Record<string, unknown>>, login: IssuedLogin): string {
  const { info, ...members } = login;
  return spliceInfo({ ...head, ...members }, info);
}

/** JSON text of `members` with the raw text `info` as its member `info`. */
export function spliceInfo(members: Readonly<Record<string, unknown>>, info: string | undefined): string {
  const text = JSON.stringify(members);
  if (info === undefined) return text;
  return `${text.slice(0, -1)}${text === '{}' ? '' : ','}"info":${checkInfo(info)}}`;
}

/** Returns `info` if it is the JSON text of an object. Throws `bad-info`. */
export function checkInfo(info: string): string {
  if (parseObject(info) === undefined) throw new AppWebsocketError('bad-info');
  return info;
}
