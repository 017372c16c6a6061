/** What `info` of a login says (AW §3.5). Absent members are left out, except `apps`, which is always there. */
export interface LoginInfoParts {
  /** Name, display name and URL of the App object. */
  readonly appobj: string;
  readonly appdn: string;
  readonly appurl: string;
  /** Name of the PBX node. */
  readonly pbx: string;
  /** Long name of the App object, or of the user who logs in. */
  readonly cn: string;
  /** `none` sets `unlicensed`; `test` sets `testmode`, and `unlicensed` never. Default: licensed. */
  readonly licence?: 'none' | 'test' | 'ok' | undefined;
  /** Number of service licences; App objects only. */
  readonly lics?: number | undefined;
  /** Names of the user's groups; users only. */
  readonly groups?: readonly string[] | undefined;
  readonly apps?: readonly { readonly name: string; readonly dn: string }[] | undefined;
}

/** JSON text of `info`, members in the order that captures show: sign and send this very text (AW §3.4). */
export function loginInfoText(parts: LoginInfoParts): string {
  const { appobj, appdn, appurl, pbx, cn, licence, lics, groups, apps = [] } = parts;
  return JSON.stringify({
    ...{ appobj, appdn, appurl, pbx, cn },
    unlicensed: licence === 'none' ? true : undefined,
    testmode: licence === 'test' ? true : undefined,
    lics,
    groups,
    apps: apps.map(({ name, dn }) => ({ name, dn })),
  });
}
