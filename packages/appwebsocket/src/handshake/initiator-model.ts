import type { Envelope } from '../wire/envelope.ts';

/** `connecting` → `open` (challenge asked for) → `challenged` → `ready` (AW §8.4). */
export type InitiatorPhase = 'connecting' | 'open' | 'challenged' | 'ready' | 'refused' | 'closed';

/** State of a connection that logs in. Immutable; make one with `initiatorStart()`. */
export interface InitiatorState {
  readonly phase: InitiatorPhase;
  /** The app that was named to the peer. */
  readonly app: string;
  readonly challenge: string | undefined;
  /** The challenge is known, the credentials are not: `auth` is waited for. */
  readonly isWaitingForAuth: boolean;
  readonly sessionKey: string | undefined;
}

/** A login whose digest somebody else computed: what `auth()` takes (AW §8.1), or a `Login` window message (AW §3.9). */
export interface Credentials {
  readonly domain?: string | undefined;
  readonly sip?: string | undefined;
  readonly guid?: string | undefined;
  readonly dn?: string | undefined;
  readonly pbxObj?: string | undefined;
  readonly app?: string | undefined;
  /** JSON text, spliced in unchanged. */
  readonly info?: string | undefined;
  readonly digest: string;
  /** The session key, in the clear. Without it `encrypt`, `decrypt` and `hash` of the connection fail. */
  readonly key?: string | undefined;
}

/** A login with a password known here. */
export interface PasswordCredentials {
  readonly password: string;
  readonly domain?: string | undefined;
  readonly sip?: string | undefined;
  readonly guid?: string | undefined;
  readonly dn?: string | undefined;
  readonly pbxObj?: string | undefined;
  /** JSON text. A PBX sends it, other programs leave it out. */
  readonly info?: string | undefined;
}

/** How one initiator logs in. `app` is all it needs. */
export interface InitiatorSettings {
  readonly app: string;
  /** Absent: the step asks with a `challenge` effect and waits for an `auth` input. */
  readonly credentials?: PasswordCredentials | undefined;
  /** Members of `AppChallenge` that 14r1+ and 16r1 libraries send (AW §3.2). */
  readonly user?: string | undefined;
  readonly appObj?: string | undefined;
  /** Own page for `CheckBuild`, sent before `AppChallenge` (AW §8.3). */
  readonly checkBuildUrl?: string | undefined;
  /** Texts to send directly after the login: `PbxInfo`, `AppInfo` of connection A (AW §3.1). */
  readonly afterLogin?: readonly string[] | undefined;
}

/** What happens to a connection that logs in. */
export type InitiatorInput =
  /** The WebSocket is open. */
  | { readonly type: 'opened' }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'auth'; readonly credentials: Credentials }
  | { readonly type: 'login-timeout' }
  | { readonly type: 'closed' };

/** What the driver of an initiator must do, in this order. */
export type InitiatorEffect =
  | { readonly type: 'send'; readonly text: string }
  /** Get a digest for this challenge and come back with `auth`. */
  | { readonly type: 'challenge'; readonly app: string; readonly challenge: string; readonly envelope: Envelope }
  | { readonly type: 'ready'; readonly domain: string; readonly sessionKey: string | undefined }
  | { readonly type: 'refused'; readonly errorText: string | undefined }
  /** An answer to a base message: `AppInfoResult`, `CheckBuildResult`, `AppCheckLoginResult`. */
  | { readonly type: 'base-answer'; readonly envelope: Envelope }
  | { readonly type: 'message'; readonly envelope: Envelope; readonly text: string }
  | { readonly type: 'close'; readonly code: number; readonly reason: string };

/** The next state, and what must be done. */
export interface InitiatorStep {
  readonly state: InitiatorState;
  readonly effects: readonly InitiatorEffect[];
}
