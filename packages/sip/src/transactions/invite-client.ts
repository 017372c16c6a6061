import {
  ACK,
  DELIVER,
  SEND,
  start,
  stay,
  stop,
  TIMED_OUT,
  TRANSPORT_FAILED,
  type ClientInput,
  type MachineContext,
  type Step,
} from './machine.ts';

/** RFC 3261 17.1.1 with the Accepted state of RFC 6026 7.2. */
export interface InviteClientState {
  readonly name: 'idle' | 'calling' | 'proceeding' | 'accepted' | 'completed' | 'terminated';
  /** The interval with which timer A was set last. */
  readonly retransmitMs: number;
}

type S = InviteClientState;

export const inviteClientStart: S = { name: 'idle', retransmitMs: 0 };

const PROCEEDING: S = { name: 'proceeding', retransmitMs: 0 };
const ACCEPTED: S = { name: 'accepted', retransmitMs: 0 };
const COMPLETED: S = { name: 'completed', retransmitMs: 0 };
const TERMINATED: S = { name: 'terminated', retransmitMs: 0 };

/** The INVITE client transaction. */
export function stepInviteClient(state: S, input: ClientInput, context: MachineContext): Step<S> {
  switch (state.name) {
    case 'idle':
      return input.on === 'begin' ? begin(context) : stay(state);
    case 'calling':
      return stepCalling(state, input, context);
    case 'proceeding':
      return input.on === 'response' ? receive(input.status, context, false) : stay(state);
    case 'accepted':
      return stepAccepted(state, input);
    case 'completed':
      return stepCompleted(state, input);
    case 'terminated':
      return stay(state);
  }
}

function begin({ isReliable, timers }: MachineContext): Step<S> {
  const calling: S = { name: 'calling', retransmitMs: timers.t1 };
  const giveUp = start('B', 64 * timers.t1);
  // 17.1.1.2: over a reliable transport timer A is not started.
  return isReliable ? stay(calling, SEND, giveUp) : stay(calling, SEND, start('A', timers.t1), giveUp);
}

function stepCalling(state: S, input: ClientInput, context: MachineContext): Step<S> {
  if (input.on === 'response') return receive(input.status, context, true);
  if (input.on === 'transport-error') return stay(TERMINATED, stop('A'), stop('B'), TRANSPORT_FAILED);
  if (input.on !== 'timer') return stay(state);
  if (input.timer === 'A') {
    // 17.1.1.2: the interval doubles each time, without a ceiling.
    const retransmitMs = state.retransmitMs * 2;
    return stay({ name: 'calling', retransmitMs }, SEND, start('A', retransmitMs));
  }
  if (input.timer === 'B') return stay(TERMINATED, stop('A'), TIMED_OUT);
  return stay(state);
}

/** A response in Calling or Proceeding. */
function receive(status: number, { isReliable, timers }: MachineContext, isCalling: boolean): Step<S> {
  const stops = isCalling ? [stop('A'), stop('B')] : [];
  if (status < 200) return stay(PROCEEDING, ...stops, DELIVER);
  // RFC 6026 7.2: a 2xx keeps the transaction for timer M, so that 2xx of other branches reach the user.
  if (status < 300) return stay(ACCEPTED, ...stops, start('M', 64 * timers.t1), DELIVER);
  // 17.1.1.2: timer D is at least 32 s over an unreliable transport, zero over a reliable one.
  if (isReliable) return stay(TERMINATED, ...stops, ACK, DELIVER);
  return stay(COMPLETED, ...stops, ACK, start('D', 64 * timers.t1), DELIVER);
}

function stepAccepted(state: S, input: ClientInput): Step<S> {
  if (input.on === 'response' && input.status >= 200 && input.status < 300) return stay(state, DELIVER);
  if (input.on === 'timer' && input.timer === 'M') return stay(TERMINATED);
  return stay(state);
}

function stepCompleted(state: S, input: ClientInput): Step<S> {
  // 17.1.1.2: a repeated final response is acknowledged again and not passed up.
  if (input.on === 'response' && input.status >= 300) return stay(state, ACK);
  if (input.on === 'transport-error') return stay(TERMINATED, stop('D'), TRANSPORT_FAILED);
  if (input.on === 'timer' && input.timer === 'D') return stay(TERMINATED);
  return stay(state);
}
