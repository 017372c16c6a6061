import {
  DELIVER,
  SEND,
  start,
  stay,
  stop,
  TIMED_OUT,
  TRANSPORT_FAILED,
  TRYING,
  TRYING_DELAY_MS,
  type MachineContext,
  type ServerInput,
  type Step,
} from './machine.ts';

/** RFC 3261 17.2.1 with the Accepted state of RFC 6026 7.1. */
export interface InviteServerState {
  readonly name: 'idle' | 'proceeding' | 'accepted' | 'completed' | 'confirmed' | 'terminated';
  /** A provisional response has been sent: only then is there something to repeat. */
  readonly hasResponse: boolean;
  /** The interval with which timer G was set last. */
  readonly retransmitMs: number;
}

type S = InviteServerState;

export const inviteServerStart: S = { name: 'idle', hasResponse: false, retransmitMs: 0 };

const PROCEEDING: S = { name: 'proceeding', hasResponse: false, retransmitMs: 0 };
const RESPONDED: S = { name: 'proceeding', hasResponse: true, retransmitMs: 0 };
const ACCEPTED: S = { name: 'accepted', hasResponse: true, retransmitMs: 0 };
const CONFIRMED: S = { name: 'confirmed', hasResponse: true, retransmitMs: 0 };
const TERMINATED: S = { name: 'terminated', hasResponse: true, retransmitMs: 0 };

/** The INVITE server transaction. */
export function stepInviteServer(state: S, input: ServerInput, context: MachineContext): Step<S> {
  switch (state.name) {
    case 'idle':
      return input.on === 'begin' ? stay(PROCEEDING, start('trying', TRYING_DELAY_MS), DELIVER) : stay(state);
    case 'proceeding':
      return stepProceeding(state, input, context);
    case 'accepted':
      return stepAccepted(state, input);
    case 'completed':
      return stepCompleted(state, input, context);
    case 'confirmed':
      // 17.2.1: Confirmed absorbs further ACKs.
      return input.on === 'timer' && input.timer === 'I' ? stay(TERMINATED) : stay(state);
    case 'terminated':
      return stay(state);
  }
}

function stepProceeding(state: S, input: ServerInput, context: MachineContext): Step<S> {
  switch (input.on) {
    case 'request':
      return state.hasResponse ? stay(state, SEND) : stay(state);
    case 'respond':
      return respond(input.status, context);
    case 'timer':
      return input.timer === 'trying' && !state.hasResponse ? stay(RESPONDED, TRYING) : stay(state);
    case 'transport-error':
      // RFC 6026 figure 5: the user is told, the transaction stays.
      return stay(state, TRANSPORT_FAILED);
    case 'begin':
    case 'ack':
      return stay(state);
  }
}

function respond(status: number, { isReliable, timers }: MachineContext): Step<S> {
  if (status < 200) return stay(RESPONDED, stop('trying'), SEND);
  // RFC 6026 7.1: after a 2xx, repeated INVITEs are absorbed for timer L.
  if (status < 300) return stay(ACCEPTED, stop('trying'), SEND, start('L', 64 * timers.t1));
  const completed: S = { name: 'completed', hasResponse: true, retransmitMs: timers.t1 };
  const giveUp = start('H', 64 * timers.t1);
  if (isReliable) return stay(completed, stop('trying'), SEND, giveUp);
  return stay(completed, stop('trying'), SEND, start('G', timers.t1), giveUp);
}

function stepAccepted(state: S, input: ServerInput): Step<S> {
  switch (input.on) {
    case 'respond':
      // RFC 6026 7.1: the user repeats its 2xx, or a proxy passes on another one.
      return input.status >= 200 && input.status < 300 ? stay(state, SEND) : stay(state);
    case 'ack':
      return stay(state, DELIVER);
    case 'transport-error':
      return stay(state, TRANSPORT_FAILED);
    case 'timer':
      return input.timer === 'L' ? stay(TERMINATED) : stay(state);
    case 'begin':
    case 'request':
      return stay(state);
  }
}

function stepCompleted(state: S, input: ServerInput, { isReliable, timers }: MachineContext): Step<S> {
  switch (input.on) {
    case 'request':
      return stay(state, SEND);
    case 'ack':
      // 17.2.1: timer I absorbs repeated ACKs; it is zero over a reliable transport.
      if (isReliable) return stay(TERMINATED, stop('G'), stop('H'));
      return stay(CONFIRMED, stop('G'), stop('H'), start('I', timers.t4));
    case 'timer':
      return stepCompletedTimer(state, input.timer, timers.t2);
    case 'transport-error':
      return stay(state, TRANSPORT_FAILED);
    case 'begin':
    case 'respond':
      return stay(state);
  }
}

function stepCompletedTimer(state: S, timer: string, t2: number): Step<S> {
  if (timer === 'G') {
    const retransmitMs = Math.min(2 * state.retransmitMs, t2);
    return stay({ name: 'completed', hasResponse: true, retransmitMs }, SEND, start('G', retransmitMs));
  }
  if (timer === 'H') return stay(TERMINATED, stop('G'), TIMED_OUT);
  return stay(state);
}
