import type { JsonObject } from './envelope.ts';

/** Base messages, without `api` (AW §2.1). */
export interface AppChallenge {
  readonly mt: 'AppChallenge';
  readonly user?: string;
  readonly appObj?: string;
}

/** Answer of the acceptor (AW §3.2): the challenge is part of every digest. */
export interface AppChallengeResult {
  readonly mt: 'AppChallengeResult';
  readonly challenge: string;
  readonly sysClient?: boolean;
  readonly nonce?: string;
  readonly dn?: string;
}

/** The login (AW §3.3). Absent texts count as `""`. */
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

/** Answer to a login (AW §3.6); `ok` is true or the login failed. */
export interface AppLoginResult {
  readonly mt: 'AppLoginResult';
  readonly ok?: boolean;
  readonly domain?: string;
  readonly app?: string;
  readonly errorText?: string;
}

/** Asks whether two passwords are equal (AW §3.7). */
export interface AppCheckLogin {
  readonly mt: 'AppCheckLogin';
  readonly app: string;
  readonly domain?: string;
  readonly challenge: string;
  readonly digest: string;
}

/** Answer to `AppCheckLogin` (AW §3.7). */
export interface AppCheckLoginResult {
  readonly mt: 'AppCheckLoginResult';
  /** Absent: the passwords differ. */
  readonly ok?: boolean;
}

/** Asks whether the page at `url` is of the current build (AW §5.1). */
export interface CheckBuild {
  readonly mt: 'CheckBuild';
  readonly url: string;
}

/** Answer to `CheckBuild` (AW §5.1). */
export interface CheckBuildResult {
  readonly mt: 'CheckBuildResult';
  /** Where to go instead; absent: the build is current. */
  readonly url?: string;
}

/** A PBX asks what an app is (AW §5.2). */
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

/** Sent by the initiator when idle, echoed by the acceptor (AW §5.4). */
export interface KeepAlive {
  readonly mt: 'KeepAlive';
}

/** The text of a `KeepAlive`. */
export const KEEP_ALIVE_TEXT = '{"mt":"KeepAlive"}';

/** Reserved `mt` values; without `api` they never reach the application (AW §2.1). */
const BASE_MESSAGES: ReadonlySet<string> = /* @__PURE__ */ new Set(
  'AppChallenge AppLogin AppCheckLogin CheckBuild AppInfo Test'
    .split(' ')
    .flatMap((mt) => [mt, `${mt}Result`])
    .concat('PbxInfo', 'KeepAlive'),
);

/** True if `mt`, without an `api`, belongs to the base layer (AW §2.1). */
export function isBaseMessage(mt: string): boolean {
  return BASE_MESSAGES.has(mt);
}
