import type { StompError } from './errors.ts';
import type { Frame, OutFrame, StompVersion } from './frame.ts';
import type { HeartBeat } from './heart-beat.ts';

export type AckMode = 'auto' | 'client' | 'client-individual';

export interface Subscription {
  /** Null: a client of 1.0 that gave none. */
  readonly id: string | null;
  readonly destination: string;
  readonly ack: AckMode;
}

export interface Transaction {
  readonly frames: readonly Frame[];
  readonly bytes: number;
}

/** One STOMP connection as far as STOMP itself knows it. */
export interface ConnectionState {
  /** `checking`: a login is looked at, and nothing else until then. */
  readonly phase: 'new' | 'checking' | 'connected' | 'closed';
  readonly version: StompVersion;
  readonly heartBeat: HeartBeat;
  /** By `subscriptionKey`. */
  readonly subscriptions: ReadonlyMap<string, Subscription>;
  readonly transactions: ReadonlyMap<string, Transaction>;
}

/** What the machine needs to know besides what happens. */
export interface ConnectionSettings {
  /** TM SJ-50: goes out as `session`. */
  readonly label: string;
  /** Goes out as `server`. */
  readonly server: string;
  /** 0: no heart-beats. */
  readonly heartbeatMinMs: number;
  readonly maxSubscriptions: number;
  /** Octets that all open transactions may hold. */
  readonly maxTransactionBytes: number;
}

/**
 * Open transactions of one session (TM §3.4).
 * @peer ERROR `Too many transactions`
 * @test connection-machine: open transactions
 */
export const MAX_TRANSACTIONS = 16;

export type ConnectionInput =
  | { readonly type: 'frame'; readonly frame: Frame }
  /** What came is no frame. */
  | { readonly type: 'fault'; readonly fault: StompError; readonly receipt: string | undefined }
  | { readonly type: 'welcome'; readonly userName: string | null }
  | { readonly type: 'unwelcome'; readonly reason: StompError }
  /** The broker does not grant this subscription. */
  | { readonly type: 'not-granted'; readonly subscription: Subscription }
  /** No login in time (TM ST-10), or no heart-beat (TM ST-14). */
  | { readonly type: 'overdue' }
  | { readonly type: 'gone' };

export type ConnectionEffect =
  | { readonly type: 'send'; readonly frame: OutFrame }
  | { readonly type: 'check'; readonly login: string; readonly passcode: string }
  /** From now on `version` and `heartBeat` hold. Comes before CONNECTED is sent. */
  | { readonly type: 'connected' }
  | { readonly type: 'subscribe'; readonly subscription: Subscription; readonly frame: Frame }
  | { readonly type: 'unsubscribe'; readonly subscription: Subscription }
  /** A SEND to be handled. */
  | { readonly type: 'request'; readonly frame: Frame }
  | {
      readonly type: 'settle';
      readonly how: 'ack' | 'nack';
      readonly subscription: string | null;
      readonly message: string;
    }
  /** Send RECEIPT once all effects before this one are through, and none of them was refused (TM ST-20). */
  | { readonly type: 'receipt'; readonly id: string }
  /** `fault`: why an ERROR went out before. */
  | { readonly type: 'close'; readonly code: number; readonly reason: string; readonly fault?: StompError };

export interface ConnectionStep {
  readonly state: ConnectionState;
  readonly effects: readonly ConnectionEffect[];
}

export const newConnection: ConnectionState = {
  phase: 'new',
  version: '1.0',
  heartBeat: { sendMs: 0, expectMs: 0 },
  subscriptions: new Map(),
  transactions: new Map(),
};

/** 1.0 knows subscriptions without id; those are known by their destination. */
export function subscriptionKey(id: string | undefined, destination: string): string {
  return id === undefined ? `to ${destination}` : `id ${id}`;
}
