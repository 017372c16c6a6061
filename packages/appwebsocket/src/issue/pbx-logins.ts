import { appLoginDigest } from '../crypto/digests.ts';
import type { AppInfoAnswer } from '../wire/base-messages.ts';
import type { IssuedLogin } from './issued-login.ts';
import { appGetLogin, serviceLogin } from './issued-login.ts';
import type { LoginInfoParts } from './login-info.ts';
import { loginInfoText } from './login-info.ts';

/** The node that issues a login. */
export interface PbxNode {
  readonly name: string;
  readonly domain: string;
}

/** An App object as a PBX stores it. */
export interface AppObject {
  readonly name: string;
  readonly dn: string;
  /** Long name. */
  readonly cn: string;
  readonly guid: string;
  /** App URL, as configured. */
  readonly url: string;
  readonly password: string;
}

/** What licences do to `info` (AW §7.4). */
type Licence = Pick<LoginInfoParts, 'licence'>;

/** `app` of a login: last path segment of the App URL, a `.htm` suffix stays (AW §3.9). */
export function appOfUrl(appUrl: string): string {
  const path = appUrl.replace(/[?#].*$/, '').replace(/\/+$/, '');
  return path.slice(path.lastIndexOf('/') + 1);
}

const infoFor = (
  pbx: PbxNode,
  { name, dn, url }: AppObject,
): Pick<LoginInfoParts, 'appobj' | 'appdn' | 'appurl' | 'pbx'> => ({
  appobj: name,
  appdn: dn,
  appurl: url,
  pbx: pbx.name,
});

/** How an App object itself logs in, on connection A (AW §3.3, first row). `info` is JSON text. */
export function appObjectCredentials(
  pbx: PbxNode,
  app: AppObject,
  options: Licence & Pick<LoginInfoParts, 'lics' | 'apps'> = {},
): {
  readonly password: string;
  readonly domain: string;
  readonly sip: string;
  readonly guid: string;
  readonly dn: string;
  readonly info: string;
} {
  const info = loginInfoText({ ...infoFor(pbx, app), cn: app.cn, ...options });
  return { password: app.password, domain: pbx.domain, sip: app.name, guid: app.guid, dn: app.dn, info };
}

export interface ServiceLoginRequest extends Licence {
  readonly pbx: PbxNode;
  readonly target: AppObject;
  readonly requester: Pick<AppObject, 'name' | 'dn' | 'cn' | 'guid'>;
  readonly challenge: string;
  /** Session key of the connection that the request came in on. */
  readonly requesterSessionKey: string;
  readonly apps?: LoginInfoParts['apps'];
  readonly salt?: string | undefined;
}

/** `GetServiceLogin` (AW §6.3): write the answer with `issuedLoginText`. Whether the target is visible is the caller's to check. */
export function issueServiceLogin(request: ServiceLoginRequest): IssuedLogin {
  const { pbx, target, requester, challenge, requesterSessionKey, licence, apps, salt } = request;
  const info = loginInfoText({ ...infoFor(pbx, target), cn: requester.cn, licence, apps });
  const { name: sip, guid, dn } = requester;
  const login = { app: appOfUrl(target.url), domain: pbx.domain, sip, guid, dn, pbxObj: target.name, info };
  return serviceLogin({ login, challenge, targetPassword: target.password, requesterSessionKey, salt });
}

export interface UserLoginRequest extends Licence {
  readonly pbx: PbxNode;
  readonly app: AppObject;
  readonly user: { readonly sip: string; readonly guid: string; readonly dn: string; readonly cn: string };
  readonly groups?: readonly string[] | undefined;
  readonly apps?: LoginInfoParts['apps'];
  readonly challenge: string;
  /** Password of the myApps session that the request came in on. */
  readonly sessionPassword: string;
  readonly salt?: string | undefined;
}

/** `AppGetLogin` (AW §3.9). Whether the user has the app is the caller's to check. */
export function issueUserLogin(request: UserLoginRequest): IssuedLogin {
  const { pbx, app, user, groups = [], apps, challenge, sessionPassword, licence, salt } = request;
  const info = loginInfoText({ ...infoFor(pbx, app), cn: user.cn, licence, groups, apps });
  const { sip, guid, dn } = user;
  const login = { app: appOfUrl(app.url), domain: pbx.domain, sip, guid, dn, pbxObj: app.name, info };
  return appGetLogin({ login, challenge, appPassword: app.password, sessionPassword, salt });
}

/** Members of `GetAppLoginResult` (AW §3.7): lets an app service check that its password is that of the App object. */
export function issueCheckLogin(
  pbx: Pick<PbxNode, 'domain'>,
  app: Pick<AppObject, 'name' | 'password'>,
  challenge: string,
): { readonly app: string; readonly domain: string; readonly digest: string } {
  const names = { app: app.name, domain: pbx.domain };
  return { ...names, digest: appLoginDigest(names, challenge, app.password) };
}

/** One entry of `ServicesInfo` (AW §6.2). `told` is the app's `AppInfoResult`; nothing while it is not connected. */
export function listedService(
  app: Pick<AppObject, 'name' | 'dn' | 'url'>,
  told: AppInfoAnswer | undefined,
): { readonly name: string; readonly title: string; readonly url: string; readonly info?: object } {
  const info = told?.serviceInfo;
  return { name: app.name, title: app.dn, url: app.url, ...(info === undefined ? {} : { info }) };
}
