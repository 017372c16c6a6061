import type { None, Op, Target } from './operation.ts';

/** One contact's presence (PBX 4). `contact` is `tel:`, `im:`, `calendar:` or `app:`. */
export interface PresenceItem {
  readonly contact: string;
  readonly status?: string;
  readonly activity?: string;
  readonly note?: string;
}

/** What a presence subscription tells (PBX 8). */
export type PresenceIndication =
  | {
      readonly mt: 'PresenceState';
      readonly up: boolean;
      readonly sip?: string;
      readonly num?: string;
      readonly dn?: string;
      readonly email?: string;
    }
  /** Newest first. */
  | { readonly mt: 'PresenceUpdate'; readonly presence: readonly PresenceItem[] };

/** The numbering node of whoever asks (PBX 8). */
export interface NodeInfo {
  readonly name?: string;
  readonly prefix_intl?: string;
  readonly prefix_ntl?: string;
  readonly prefix_subs?: string;
  readonly country_code?: string;
  readonly area_code?: string;
}

/** A contact of a profile (PBX 8). */
export interface ProfileContact {
  readonly id?: number;
  readonly name?: string;
  readonly num?: string;
  readonly dsp?: string;
  readonly presence?: boolean;
  readonly dialog?: boolean;
  readonly ext?: boolean;
}

type Named = { readonly sip: string } | { readonly guid: string };
type DiversionType = 'cfu' | 'cfb' | 'cfnr';
type WrittenContact = { readonly dn?: string; readonly sip?: string; readonly num?: string };

/** `api` `PbxApi` (PBX 8). */
export interface PbxApiMessages {
  SubscribePresence: Op<Target, object, PresenceIndication>;
  UnsubscribePresence: Op<Target>;
  SetPresence: Op<
    Named & { readonly contact?: string; readonly activity?: string; readonly note?: string; readonly status?: string }
  >;
  SubscribeProfile: Op<
    None,
    {
      readonly profile: { readonly id: number; readonly name?: string; readonly contacts?: readonly ProfileContact[] };
    },
    {
      readonly mt: 'ProfileContactAdded' | 'ProfileContactDeleted';
      readonly profile: { readonly id: number; readonly contact: ProfileContact };
    }
  >;
  UnsubscribeProfile: Op<None>;
  AddProfile: Op<{ readonly name: string }>;
  DelProfile: Op<{ readonly id: number }>;
  UpdateProfile: Op<{ readonly id: number; readonly name: string }>;
  AddProfileContact: Op<{ readonly id: number; readonly name?: string; readonly contact: WrittenContact }>;
  DelProfileContact: Op<{ readonly id: number; readonly contact: { readonly id: number } }>;
  UpdateProfileContact: Op<{ readonly id: number; readonly contact: WrittenContact & { readonly id: number } }>;
  GetNodeInfo: Op<None, NodeInfo>;
  AddAlienCall: Op<None, { readonly id: number }>;
  DelAlienCall: Op<{ readonly id: number }>;
  AddDiversion: Op<
    Named & { readonly type: DiversionType; readonly 'ep-sip'?: string; readonly 'ep-num'?: string },
    { readonly ok?: boolean }
  >;
  DelDiversion: Op<Named & { readonly type: DiversionType }, { readonly ok?: boolean }>;
  GetDiversion: Op<Named & { readonly type: DiversionType }, { readonly num?: string; readonly sip?: string }>;
  AppNotify: Op<{ readonly sip: string; readonly title: string; readonly text: string; readonly link?: string }>;
}
