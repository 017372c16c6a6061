import type { Op } from './operation.ts';
import type { Registration } from './signaling.ts';

/** A user that may be controlled (PBX 6.3). `alert` and `channel` are numbers of calls; absent = 0. */
export interface RccUserInfo {
  readonly mt: 'UserInfo';
  /** Absent in the initial list; `del`: gone. */
  readonly update?: string;
  readonly guid: string;
  readonly cn: string;
  readonly dn?: string;
  readonly h323?: string;
  readonly e164?: string;
  readonly node?: string;
  readonly pbx?: string;
  readonly pseudo?: string;
  /** Absent or empty: not registered. */
  readonly regs?: readonly { readonly hw: string }[];
  readonly alert?: number;
  readonly channel?: number;
}

/** A party of a call; `e164` and `h323` are `""` when unknown. */
export interface RccConnector {
  readonly type?: string;
  readonly cn?: string;
  readonly dn?: string;
  readonly h323: string;
  readonly e164: string;
  readonly norm?: string;
}

/** What happens to a call of a monitored user (PBX 6.3); the last one of a call has `del`. */
export interface RccCallInfo {
  readonly mt: 'CallInfo';
  readonly user: number;
  readonly call: number;
  /** In the first one of a call, and when it changed. */
  readonly conf?: string;
  /** Bit field (PBX 6.4): 0x0f the state, 0x80 call to the user, 0x100 on hold, 0x200 held, 0x400 waiting. */
  readonly state: number;
  /** Event (PBX 6.5): `x-…` done at the user's side, `r-…` at the far side, `update`, `del`. */
  readonly msg: string;
  readonly peer?: RccConnector;
  readonly no?: readonly RccConnector[];
  /** Seconds since the start of the call. */
  readonly time?: number;
  readonly dtmf?: string;
  readonly info?: readonly { readonly type: string; readonly vali?: number; readonly vals?: string }[];
  /** True in the last one of a call. */
  readonly del?: boolean;
}

type Numbers = { readonly h323: string; readonly e164: string };

/** Every leg of every object, with `calls: true` (PBX 6.3). */
export type RccLeg =
  | {
      readonly mt: 'CallAdd';
      readonly call: number;
      readonly guid: string;
      readonly cn: string;
      readonly dn?: string;
      readonly state: number;
      readonly 'conf-id'?: string;
      readonly 'call-id'?: string;
    }
  | {
      readonly mt: 'CallUpdate';
      readonly call: number;
      readonly msg: string;
      readonly local?: Numbers;
      readonly remote?: Numbers;
    }
  | { readonly mt: 'CallDel'; readonly call: number };

type Destination = { readonly e164: string } | { readonly h323: string } | { readonly cn: string };
type Call = { readonly call: number };
type Failed = { readonly error?: string };

/** `api` `RCC` (PBX 6.2). A handle of 0 in a result means that it failed. */
export interface RccMessages {
  Initialize: Op<
    { readonly grp?: boolean; readonly limit?: number; readonly calls?: boolean },
    object,
    RccUserInfo | RccLeg
  >;
  Devices: Op<
    { readonly cn: string },
    { readonly devices: readonly { readonly hw: string; readonly text?: string }[] }
  >;
  UserInitialize: Op<
    { readonly cn: string; readonly hw?: string; readonly xfer?: boolean; readonly disc?: boolean },
    Registration & {
      readonly user: number;
      readonly mobile?: { readonly e164?: string; readonly h323?: string; readonly off?: boolean };
    },
    RccCallInfo
  >;
  UserEnd: Op<{ readonly user: number }>;
  UserCall: Op<
    Destination & {
      readonly user: number;
      readonly rc?: number;
      readonly srce164?: string;
      readonly ftyNoCF?: boolean;
      readonly audio?: boolean;
    },
    Call
  >;
  /** `cause` default 16; 26 avoids a busy tone at the phone. */
  UserClear: Op<Call & { readonly cause?: number }>;
  UserConnect: Op<Call>;
  UserHold: Op<Call & { readonly remote?: boolean }>;
  UserRetrieve: Op<Call>;
  UserTransfer: Op<{ readonly a: number; readonly b: number }>;
  UserRedirect: Op<Destination & Call & { readonly rc?: number }, Failed>;
  UserReroute: Op<Destination & Call, Failed>;
  UserPickup: Op<{ readonly user: number; readonly call?: number; readonly cn?: string }, Call>;
  /** `position` -1: any. */
  UserPark: Op<Call & { readonly cn?: string; readonly position?: number }, Call>;
  UserDTMF: Op<Call & { readonly dtmf: string; readonly recv?: boolean }>;
  UserUUI: Op<Call & { readonly uui: string; readonly recv?: boolean }>;
  UserInfo: Op<
    Call & { readonly cdpn?: string; readonly key?: string; readonly dsp?: string; readonly recv?: boolean }
  >;
  /** Codes: PBX 6.6. */
  UserRc: Op<Call & { readonly rc: number }>;
  UserCtComplete: Op<Call & { readonly e164?: string; readonly h323?: string }>;
  UserMediaTransfer: Op<{ readonly a: number; readonly b: number; readonly user?: number; readonly peer?: boolean }>;
}
