/**
 * The caller's side of an INVITE dialog usage (RFC 3261 9.1, 13.2, 15).
 * `calling`: no response yet; `cancel-wanted`: hung up before the first one, when a CANCEL must not be sent yet.
 */
export type CallerState =
  'calling' | 'proceeding' | 'cancel-wanted' | 'cancelling' | 'answered' | 'confirmed' | 'ended';

export type CallerInput =
  | 'provisional'
  | 'success'
  /** A final response of 300 and above, or none at all. */
  | 'failure'
  | 'hangup'
  /** We sent the ACK of the 2xx. */
  | 'acknowledged'
  /** The peer's BYE. */
  | 'bye'
  /** Nothing came for 64*T1 after our CANCEL (RFC 3261 9.1). */
  | 'cancel-timeout'
  /** The dialog is dead: a 481 or 408 in it, or its session timer ran out. */
  | 'lost';

/** In order. `ack-bye`: a 2xx that nobody wants any more is acknowledged and the call hung up at once. */
export type CallerEffect = 'progress' | 'cancel' | 'answered' | 'ack-bye' | 'bye' | 'end';

export interface CallerStep {
  readonly state: CallerState;
  readonly effects: readonly CallerEffect[];
}

const to = (state: CallerState, ...effects: CallerEffect[]): CallerStep => ({ state, effects });

export function stepCaller(state: CallerState, input: CallerInput): CallerStep {
  switch (state) {
    case 'calling':
    case 'proceeding':
      return stepRinging(state, input);
    case 'cancel-wanted':
    case 'cancelling':
      return stepCancelling(state, input);
    case 'answered':
      if (input === 'acknowledged') return to('confirmed');
      if (input === 'hangup') return to('ended', 'ack-bye', 'end');
      if (input === 'lost') return to('ended', 'ack-bye', 'end');
      return input === 'bye' ? to('ended', 'end') : to(state);
    case 'confirmed':
      if (input === 'hangup' || input === 'lost') return to('ended', 'bye', 'end');
      return input === 'bye' ? to('ended', 'end') : to(state);
    case 'ended':
      // RFC 3261 13.2.2.4: a 2xx of another branch after the end still needs its ACK and its BYE.
      return input === 'success' ? to(state, 'ack-bye') : to(state);
  }
}

function stepRinging(state: CallerState, input: CallerInput): CallerStep {
  switch (input) {
    case 'provisional':
      return to('proceeding', 'progress');
    case 'success':
      return to('answered', 'answered');
    case 'failure':
      return to('ended', 'end');
    case 'hangup':
    case 'lost':
      return state === 'calling' ? to('cancel-wanted') : to('cancelling', 'cancel');
    case 'bye':
    // RFC 3261 15: a callee may not send one before its answer.
    case 'acknowledged':
    case 'cancel-timeout':
      return to(state);
  }
}

function stepCancelling(state: CallerState, input: CallerInput): CallerStep {
  switch (input) {
    case 'provisional':
      return state === 'cancel-wanted' ? to('cancelling', 'cancel') : to(state);
    case 'success':
      return to('ended', 'ack-bye', 'end');
    case 'failure':
    case 'cancel-timeout':
    case 'lost':
    case 'bye':
      return to('ended', 'end');
    case 'hangup':
    case 'acknowledged':
      return to(state);
  }
}
