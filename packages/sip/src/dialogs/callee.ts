/**
 * The callee's side of an INVITE dialog usage (RFC 3261 13.3, 15).
 * `accepted`: our 2xx is out and its ACK is not in; `closing`: hung up then, when a BYE must not be sent yet (RFC 3261 15).
 */
export type CalleeState = 'ringing' | 'accepted' | 'closing' | 'confirmed' | 'ended';

export type CalleeInput =
  | 'accept'
  | 'reject'
  | 'cancel'
  | 'ack'
  /** The ACK stayed out for 64*T1 (RFC 3261 13.3.1.4). */
  | 'ack-timeout'
  | 'hangup'
  | 'bye'
  | 'lost';

/** In order. `terminate`: 487 to the INVITE. `decline`: 603 to the INVITE, where the caller gave no status of its own. */
export type CalleeEffect = 'accept' | 'reject' | 'terminate' | 'decline' | 'stop-2xx' | 'confirmed' | 'bye' | 'end';

export interface CalleeStep {
  readonly state: CalleeState;
  readonly effects: readonly CalleeEffect[];
}

const to = (state: CalleeState, ...effects: CalleeEffect[]): CalleeStep => ({ state, effects });

export function stepCallee(state: CalleeState, input: CalleeInput): CalleeStep {
  switch (state) {
    case 'ringing':
      return stepRinging(input);
    case 'accepted':
      return stepAccepted(input);
    case 'closing':
      // RFC 3261 15: the callee's BYE waits for the ACK or the end of the transaction.
      if (input === 'ack' || input === 'ack-timeout' || input === 'lost') return to('ended', 'stop-2xx', 'bye', 'end');
      return input === 'bye' ? to('ended', 'stop-2xx', 'end') : to(state);
    case 'confirmed':
      if (input === 'hangup' || input === 'lost') return to('ended', 'bye', 'end');
      return input === 'bye' ? to('ended', 'end') : to(state);
    case 'ended':
      return to(state);
  }
}

function stepRinging(input: CalleeInput): CalleeStep {
  switch (input) {
    case 'accept':
      return to('accepted', 'accept');
    case 'reject':
      return to('ended', 'reject', 'end');
    case 'cancel':
    case 'bye':
      // RFC 3261 9.2, 15.1.2: a CANCEL, or a BYE in the early dialog, ends the INVITE by 487.
      return to('ended', 'terminate', 'end');
    case 'hangup':
      return to('ended', 'decline', 'end');
    case 'lost':
      return to('ended', 'end');
    case 'ack':
    case 'ack-timeout':
      return to('ringing');
  }
}

function stepAccepted(input: CalleeInput): CalleeStep {
  switch (input) {
    case 'ack':
      return to('confirmed', 'stop-2xx', 'confirmed');
    case 'ack-timeout':
      return to('ended', 'stop-2xx', 'bye', 'end');
    case 'hangup':
      return to('closing');
    case 'bye':
      return to('ended', 'stop-2xx', 'end');
    case 'lost':
      return to('ended', 'stop-2xx', 'bye', 'end');
    case 'accept':
    case 'reject':
    case 'cancel':
      // RFC 3261 9.2: a CANCEL after the final response changes nothing.
      return to('accepted');
  }
}
