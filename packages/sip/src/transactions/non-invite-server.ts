import {
  DELIVER,
  SEND,
  start,
  stay,
  stop,
  TRANSPORT_FAILED,
  TRYING,
  type MachineContext,
  type ServerInput,
  type Step,
  type TimerValues,
} from './machine.ts';

/** RFC 3261 17.2.2 with the corrections of RFC 4320. */
export interface NonInviteServerState {
  readonly name: 'idle' | 'trying' | 'proceeding' | 'completed' | 'terminated';
}

type S = NonInviteServerState;

export const nonInviteServerStart: S = { name: 'idle' };

const TRYING_STATE: S = { name: 'trying' };
const PROCEEDING: S = { name: 'proceeding' };
const COMPLETED: S = { name: 'completed' };
const TERMINATED: S = { name: 'terminated' };

/** The server transaction of every request but INVITE and ACK. */
export function stepNonInviteServer(state: S, input: ServerInput, context: MachineContext): Step<S> {
  switch (state.name) {
    case 'idle':
      return input.on === 'begin' ? begin(context) : stay(state);
    case 'trying':
    case 'proceeding':
      return stepWaiting(state, input, context);
    case 'completed':
      return stepCompleted(state, input);
    case 'terminated':
      return stay(state);
  }
}

function begin({ timers }: MachineContext): Step<S> {
  // RFC 4320 4.1: by the time the client's timer E has reached T2, a 100 is due.
  // RFC 4320 4.2: an answer later than 64*T1 is of no use to anybody, so the wait ends there.
  return stay(TRYING_STATE, start('trying', tryingDelayMs(timers)), start('F', 64 * timers.t1), DELIVER);
}

/** The time a client's timer E takes until it is reset to T2 (3.5 s with the default values). */
export function tryingDelayMs({ t1, t2 }: TimerValues): number {
  let elapsed = t1;
  for (let interval = Math.min(2 * t1, t2); interval < t2; interval = Math.min(2 * interval, t2)) elapsed += interval;
  return elapsed;
}

function stepWaiting(state: S, input: ServerInput, context: MachineContext): Step<S> {
  switch (input.on) {
    case 'request':
      return state.name === 'proceeding' ? stay(state, SEND) : stay(state);
    case 'respond':
      return respond(state, input.status, context);
    case 'timer':
      if (input.timer === 'trying') return state.name === 'trying' ? stay(PROCEEDING, TRYING) : stay(state);
      return input.timer === 'F' ? stay(TERMINATED, stop('trying')) : stay(state);
    case 'transport-error':
      return stay(TERMINATED, stop('trying'), stop('F'), TRANSPORT_FAILED);
    case 'begin':
    case 'ack':
      return stay(state);
  }
}

function respond(state: S, status: number, { isReliable, timers }: MachineContext): Step<S> {
  // RFC 4320 4.1: no provisional response but 100, and over an unreliable transport none before its time.
  if (status < 200) {
    return status === 100 && isReliable && state.name === 'trying'
      ? stay(PROCEEDING, stop('trying'), SEND)
      : stay(state);
  }
  // RFC 4320 4.2: 408 to a non-INVITE request reaches nobody in time and makes the sender avoid us.
  if (status === 408) return stay(TERMINATED, stop('trying'), stop('F'));
  if (isReliable) return stay(TERMINATED, stop('trying'), stop('F'), SEND);
  return stay(COMPLETED, stop('trying'), stop('F'), SEND, start('J', 64 * timers.t1));
}

function stepCompleted(state: S, input: ServerInput): Step<S> {
  if (input.on === 'request') return stay(state, SEND);
  if (input.on === 'transport-error') return stay(TERMINATED, stop('J'), TRANSPORT_FAILED);
  if (input.on === 'timer' && input.timer === 'J') return stay(TERMINATED);
  return stay(state);
}
