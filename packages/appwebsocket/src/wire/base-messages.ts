import type { JsonObject } from './envelope.ts';

/** Base messages, without `api` (AW §2.1). */
export interface AppChallenge {
  readonly mt: 'AppChallenge';
  readonly user?: string;
  readonly appObj?: string;
}

export interface AppChallengeResult {
  readonly mt: 'AppChallengeResult';
  readonly challenge: string;
  readonly sysClient?: boolean;
  readonly nonce?: string;
  readonly dn?: string;
}

export interface AppLogin {
  readonly mt: 'AppLogin';
  readonly app?: string;
  readonly domain?: string;
  readonly sip?: string;
  readonly guid?: string;
  readonly dn?: string;
  readonly info?: JsonObject;
  readonly digest: string;
  readonly pbxObj?: string | null;
}

export interface AppLoginResult {
  readonly mt: 'AppLoginResult';
  readonly ok?: boolean;
  readonly domain?: string;
  readonly app?: string;
  readonly errorText?: string;
}

export interface AppCheckLogin {
  readonly mt: 'AppCheckLogin';
  readonly app: string;
  readonly domain?: string;
  readonly challenge: string;
  readonly digest: string;
}

export interface AppCheckLoginResult {
  readonly mt: 'AppCheckLoginResult';
  /** Absent: the passwords differ. */
  readonly ok?: boolean;
}

export interface CheckBuild {
  readonly mt: 'CheckBuild';
  readonly url: string;
}

export interface CheckBuildResult {
  readonly mt: 'CheckBuildResult';
  /** Where to go instead; absent: the build is current. */
  readonly url?: string;
}

export interface AppInfo {
  readonly mt: 'AppInfo';
  readonly app: string;
}

/** What an app service tells a PBX about itself (AW §5.2). */
export interface AppInfoAnswer {
  readonly info?: {
    readonly hidden?: boolean;
    /** `true`, or a SIP URI. */
    readonly presence?: boolean | string;
    readonly apis?: Readonly<Record<string, JsonObject>>;
    readonly wake?: readonly string[];
  };
  readonly serviceInfo?: { readonly apis?: Readonly<Record<string, JsonObject>> };
  readonly deviceapp?: 'phone' | 'softphone' | 'rcc';
}

/** What a PBX tells an app service about itself (AW §5.3). */
export interface PbxInfo {
  readonly domain: string;
  readonly pbx: string;
  readonly pbxDns: string;
  readonly apis: readonly string[];
  readonly version?: string | undefined;
  readonly build?: string | undefined;
}

export interface KeepAlive {
  readonly mt: 'KeepAlive';
}

export const KEEP_ALIVE_TEXT = '{"mt":"KeepAlive"}';

/** Reserved `mt` values; without `api` they never reach the application (AW §2.1). */
const BASE_MESSAGES: ReadonlySet<string> = /* @__PURE__ */ new Set(
  'AppChallenge AppLogin AppCheckLogin CheckBuild AppInfo Test'
    .split(' ')
    .flatMap((mt) => [mt, `${mt}Result`])
    .concat('PbxInfo', 'KeepAlive'),
);

export function isBaseMessage(mt: string): boolean {
  return BASE_MESSAGES.has(mt);
}
