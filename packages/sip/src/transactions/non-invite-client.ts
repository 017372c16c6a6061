import {
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

/** RFC 3261 17.1.2. */
export interface NonInviteClientState {
  readonly name: 'idle' | 'trying' | 'proceeding' | 'completed' | 'terminated';
  /** The interval with which timer E was set last. */
  readonly retransmitMs: number;
}

type S = NonInviteClientState;

export const nonInviteClientStart: S = { name: 'idle', retransmitMs: 0 };

const COMPLETED: S = { name: 'completed', retransmitMs: 0 };
const TERMINATED: S = { name: 'terminated', retransmitMs: 0 };

/** The client transaction of every request but INVITE and ACK. */
export function stepNonInviteClient(state: S, input: ClientInput, context: MachineContext): Step<S> {
  switch (state.name) {
    case 'idle':
      return input.on === 'begin' ? begin(context) : stay(state);
    case 'trying':
    case 'proceeding':
      return stepWaiting(state, input, context);
    case 'completed':
      return input.on === 'timer' && input.timer === 'K' ? stay(TERMINATED) : stay(state);
    case 'terminated':
      return stay(state);
  }
}

function begin({ isReliable, timers }: MachineContext): Step<S> {
  const trying: S = { name: 'trying', retransmitMs: timers.t1 };
  const giveUp = start('F', 64 * timers.t1);
  return isReliable ? stay(trying, SEND, giveUp) : stay(trying, SEND, start('E', timers.t1), giveUp);
}

function stepWaiting(state: S, input: ClientInput, context: MachineContext): Step<S> {
  switch (input.on) {
    case 'response':
      return receive(state, input.status, context);
    case 'transport-error':
      return stay(TERMINATED, stop('E'), stop('F'), TRANSPORT_FAILED);
    case 'timer':
      if (input.timer === 'E') return retransmit(state, context);
      return input.timer === 'F' ? stay(TERMINATED, stop('E'), TIMED_OUT) : stay(state);
    case 'begin':
      return stay(state);
  }
}

function retransmit(state: S, { timers }: MachineContext): Step<S> {
  // 17.1.2.2: doubling up to T2 while nothing was heard, T2 after a provisional response.
  const retransmitMs = state.name === 'proceeding' ? timers.t2 : Math.min(2 * state.retransmitMs, timers.t2);
  return stay({ name: state.name, retransmitMs }, SEND, start('E', retransmitMs));
}

function receive(state: S, status: number, { isReliable, timers }: MachineContext): Step<S> {
  if (status < 200) return stay({ name: 'proceeding', retransmitMs: state.retransmitMs }, DELIVER);
  // 17.1.2.2: timer K absorbs repeated responses; it is zero over a reliable transport.
  return isReliable
    ? stay(TERMINATED, stop('E'), stop('F'), DELIVER)
    : stay(COMPLETED, stop('E'), stop('F'), start('K', timers.t4), DELIVER);
}
