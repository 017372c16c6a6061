import type { CallState } from './call-machine.ts';
import type { Cause, EndpointId, Setup } from './model.ts';
import type { LegUser } from './ports.ts';

/** A standing call, as the services around the exchange see it. */
export interface StandingCall {
  readonly setup: Setup;
  readonly state: Pick<CallState, 'phase' | 'isAnswered'>;
  /** Why it ended; null while it stands. */
  readonly cause: Cause | null;
  /** The endpoint that has the caller's part, or null where the PBX started the call. */
  readonly callerEndpoint: EndpointId | null;
  readonly callerUser: LegUser | null;
  /** The endpoint that has the callee's part, once a device has accepted. */
  readonly winnerEndpoint: EndpointId | null;
  readonly winnerUser: LegUser | null;
  /** Resolves once it is clear which of the callee's devices has the call: its endpoint, or null for none. */
  readonly settled: Promise<EndpointId | null>;
  /** The endpoint has an end of this call, and is one of this node. */
  hasHere(endpoint: EndpointId): boolean;
  /** This endpoint was, or is being, offered the call. */
  wasOffered(endpoint: EndpointId): boolean;
  /** This endpoint was offered the call and declined it, or let the time for an answer pass. */
  hasRefused(endpoint: EndpointId): boolean;
  hangUp(cause: Cause): void;
  /** A text went over it: the idle time of a call that the PBX started begins anew. */
  touch(): void;
}
