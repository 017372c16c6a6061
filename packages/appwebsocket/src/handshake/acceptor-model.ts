import type { AppInfoAnswer, PbxInfo } from '../wire/base-messages.ts';
import type { Envelope, JsonObject } from '../wire/envelope.ts';
import type { AppIdentity } from './identity.ts';
import type { ReceivedLogin } from './received-login.ts';

/** `open` → `challenged` → `verifying` → `ready` (AW §8.4); `refused` waits for the peer to close, `closed` is final. */
export type AcceptorPhase = 'open' | 'challenged' | 'verifying' | 'ready' | 'refused' | 'closed';

/** A challenge that waits for its `AppLogin`. */
export interface IssuedChallenge {
  readonly text: string;
  readonly issuedAtMs: number;
}

/** A login, or an `AppCheckLogin`, that waits for the password look-up. */
export interface PendingLogin {
  readonly ticket: number;
  readonly login: ReceivedLogin;
  readonly challenge: string;
  readonly request: Envelope;
}

/** State of an accepted connection. Immutable; make one with `acceptorStart()`. */
export interface AcceptorState {
  readonly phase: AcceptorPhase;
  readonly challenge: IssuedChallenge | undefined;
  readonly verifying: PendingLogin | undefined;
  readonly checks: readonly PendingLogin[];
  readonly nextTicket: number;
  readonly identity: AppIdentity | undefined;
  readonly sessionKey: string | undefined;
}

/** What the owner of the passwords is asked. The digest's parts are there for one who checks it himself. */
export interface PasswordRequest {
  /** `check`: somebody tests whether two passwords are equal (AW §3.7); nobody logs in. */
  readonly purpose: 'login' | 'check';
  /** Name of the app, a `.htm` suffix stripped. */
  readonly app: string;
  readonly domain: string;
  readonly sip: string;
  readonly guid: string;
  readonly dn: string;
  readonly pbxObj: string | undefined;
  readonly info: JsonObject | undefined;
  readonly challenge: string;
  readonly login: ReceivedLogin;
}

/**
 * What he answers: passwords that are tried in order (none: unknown app), or his own verdict. `refuse` ends the
 * login with that text, or with the text of every failure. `accept` brings the session key of the login.
 */
export type PasswordAnswer =
  | { readonly passwords: readonly string[] }
  | { readonly accept: { readonly sessionKey: string } }
  | { readonly refuse: string | undefined };

/** What happens to an accepted connection. */
export type AcceptorInput =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'looked-up'; readonly ticket: number; readonly answer: PasswordAnswer }
  /** `LOGIN_TIMEOUT_MS` after the connection was opened. */
  | { readonly type: 'login-timeout' }
  | { readonly type: 'closed' };

/** What the driver of an acceptor must do, in this order. */
export type AcceptorEffect =
  | { readonly type: 'send'; readonly text: string }
  /** Look the passwords up and come back with `looked-up` and the same ticket. */
  | { readonly type: 'lookup'; readonly ticket: number; readonly request: PasswordRequest }
  /** The login stands. `passwordIndex`: which of the passwords it was, -1 for a verdict. `isAgain`: a re-login. */
  | {
      readonly type: 'ready';
      readonly identity: AppIdentity;
      readonly sessionKey: string;
      readonly passwordIndex: number;
      readonly isAgain: boolean;
    }
  /** Count it against the peer's address (AW §3.6). */
  | { readonly type: 'failed' }
  | { readonly type: 'pbx-info'; readonly info: PbxInfo }
  /** A message that is not a base message, after login. */
  | { readonly type: 'message'; readonly envelope: Envelope; readonly text: string }
  | { readonly type: 'close'; readonly code: number; readonly reason: string; readonly afterMs: number };

/** What one acceptor is. All optional. */
export interface AcceptorSettings {
  /** `pbx` ignores `AppInfo` and `PbxInfo`: they belong to app services (AW §2.1). Default `service`. */
  readonly role?: 'service' | 'pbx' | undefined;
  /** `domain` of `AppLoginResult`; default: the domain of the login. */
  readonly domain?: string | undefined;
  /** Own build number for `CheckBuild`. */
  readonly build?: string | undefined;
  /** Answer to `AppInfo` by app. */
  readonly appInfo?: ((app: string) => AppInfoAnswer) | undefined;
  /** Asked after the digest was found right: a text refuses the login with that text (unlicensed users, AW §7.4). */
  readonly admit?: ((identity: AppIdentity) => string | undefined) | undefined;
}

/** Time and chance, from outside. */
export interface AcceptorEnvironment {
  readonly nowMs: number;
  /** A fresh challenge: 16 hex digits from a cryptographic source (AW §3.2), e.g. `randomHex(8)`. */
  readonly newChallenge: () => string;
}

/** The next state, and what must be done. */
export interface AcceptorStep {
  readonly state: AcceptorState;
  readonly effects: readonly AcceptorEffect[];
}
