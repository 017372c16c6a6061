import type { JsonObject } from '../../wire/envelope.ts';
import type { Op } from './operation.ts';

/** One end of a call (PBX 2.4): `num` with an optional prefix letter, `sip` without the local domain. */
export interface Endpoint {
  readonly num?: string;
  readonly sip?: string;
  readonly flags?: string;
}

/** Why a call ended: Q.931 location and cause (PBX 2.7). */
export interface Cause {
  readonly loc?: number;
  readonly num: number;
}

/** Chat text and typing (PBX 3.2). `data` is plain HTML unless `mime` says otherwise; `time` in seconds, UTC. */
export interface ImMessage {
  readonly type: 'im_message';
  readonly sender?: string;
  readonly sender_dn?: string;
  readonly time?: number;
  readonly subject?: string;
  readonly mime?: string;
  readonly data?: string;
  /** URL-encoded URLs, separated by blanks. */
  readonly attach?: string;
  readonly typing?: boolean;
  /** `data` goes on in the next `im_message`. */
  readonly more?: boolean;
  /** Tieline: id of the message; the same one again is the same message. */
  readonly id?: string;
  /** Tieline: where the message stands; `resume` of a later `Register`. */
  readonly pos?: string;
  /** Tieline: `out` for a text that another session of the same user sent. */
  readonly direction?: 'out';
  /** Tieline: idempotency key; answered with {@link ImMessageResult}. */
  readonly idem?: string;
}

/** Tieline: the text with this `idem` is stored, or was taken by a live session. `time` in seconds, UTC. */
export interface ImMessageResult {
  readonly type: 'im_message_result';
  readonly idem: string;
  readonly id: string;
  readonly time: number;
}

/** Tieline: continuity cannot be proved; load anew and go on from `pos`. */
export interface Resync {
  readonly mt: 'Resync';
  readonly reason: string;
  readonly pos: string;
}

/** A facility (PBX 2.5); the many that are not spelt out are plain objects. */
export type Facility =
  | ImMessage
  | ImMessageResult
  | { readonly type: 'im_setup' | 'presence_subscribe' | 'dialog_info_subscribe' }
  | { readonly type: 'name_identification'; readonly name: string }
  | {
      readonly type: 'presence_notify' | 'presence_publish';
      readonly status?: string;
      readonly activity?: string;
      readonly note?: string;
      readonly contact?: string;
    }
  | (JsonObject & { readonly type: string });

/** A `sig` object of PbxSignal and EpSignal (PBX 2.3). */
export interface Signal {
  readonly type:
    | 'setup'
    | 'setup_ack'
    | 'call_proc'
    | 'alert'
    | 'conn'
    | 'rel'
    | 'facility'
    | 'disc'
    | 'progress'
    | 'info'
    | 'channels'
    | 'user_info'
    | 'accept'
    | 'media_info';
  readonly bc?: string;
  readonly cg?: Endpoint;
  readonly cd?: Endpoint;
  /** No more digits follow. */
  readonly complete?: boolean;
  /** 0: no media, -1: media over IP. */
  readonly channel?: number;
  readonly channels_cmd?: string;
  readonly channels?: JsonObject;
  readonly fty?: readonly Facility[];
  readonly cau?: Cause;
  readonly inband_info?: boolean;
  readonly pi?: readonly string[];
  readonly uui?: string;
  readonly dsp?: string;
  readonly confId?: string;
  readonly callId?: string;
}

/** `call`: positive where the app started it, negative where the PBX did; EpSignal the other way round. */
export interface Signaling {
  readonly mt: 'Signaling';
  readonly call: number;
  readonly sig: Signal;
  /** EpSignal: true towards the device. */
  readonly to?: boolean;
}

/** What a registration is told about its PBX. All optional. */
export interface Registration {
  readonly stun?: string;
  readonly turn?: string;
  readonly turnUsr?: string;
  readonly turnPwd?: string;
  readonly prefixIntl?: string;
  readonly prefixNtl?: string;
  readonly prefixSubs?: string;
  readonly area?: string;
  readonly country?: string;
  readonly maxIntern?: number;
  readonly tones?: number;
}

/** `api` `PbxSignal` (PBX 2): subscribe with `Register`, then send `Signaling` on the subscription. */
export interface PbxSignalMessages {
  Register: Op<
    {
      readonly hw?: string;
      /** Joined by vertical bars; known: `NO_MEDIA_CALL`. */
      readonly flags?: string;
      /** Tieline: the position to go on from (`pos` of a message). */
      readonly resume?: string;
    },
    Registration,
    Signaling | Resync
  >;
}

/** State of a call that was there before (PBX 10.1). */
export interface EpSync {
  readonly mt: 'Sync';
  readonly call: number;
  readonly info: {
    readonly channel?: number;
    readonly in?: boolean;
    readonly state?: string;
    readonly remote?: Endpoint & { readonly dn?: string };
  };
}

/** `api` `EpSignal` (PBX 10.1). */
export interface EpSignalMessages {
  Attach: Op<{ readonly hw: string }, Registration, Signaling | EpSync | { readonly mt: 'Attached' | 'Detached' }>;
}
