import { rc4Text, sha256Hex } from './digests.ts';

/** What both digests of the myApps login are made from (AW §3.9). */
export interface MyAppsLogin {
  readonly domain: string;
  readonly username: string;
  readonly password: string;
  readonly nonce: string;
  readonly challenge: string;
}

/** `response` of the second `Login` message of a myApps client (AW §3.9). */
export function myAppsLoginResponse(type: string, login: MyAppsLogin): string {
  const { domain, username, password, nonce, challenge } = login;
  return sha256Hex(`innovaphoneAppClient:${type}:${domain}:${username}:${password}:${nonce}:${challenge}`);
}

/** `digest` of `LoginResult`; `info` is the exact JSON text of its member `info` (AW §3.9). */
export function myAppsLoginResultDigest(login: MyAppsLogin, info: string): string {
  const { domain, username, password, nonce, challenge } = login;
  return sha256Hex(`innovaphoneAppClient:loginresult:${domain}:${username}:${password}:${nonce}:${challenge}:${info}`);
}

/** `info.session.usr` (`part` = `usr`) and `info.session.pwd` (`pwd`) of `LoginResult` (AW §3.9). */
export function myAppsSessionCredential(part: 'usr' | 'pwd', nonce: string, password: string, plain: string): string {
  return rc4Text(`innovaphoneAppClient:${part}:${nonce}:${password}`, plain);
}

/** `key` of `AppGetLoginResult`: the session key, encrypted for the myApps client (AW §3.9, our own definition). */
export function myAppsAppKey(salt: string, sessionPassword: string, sessionKey: string): string {
  return rc4Text(`innovaphoneAppClient:key:${salt}:${sessionPassword}`, sessionKey);
}
