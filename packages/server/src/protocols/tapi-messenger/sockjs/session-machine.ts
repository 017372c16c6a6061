/**
 * The life of a session over HTTP (TM SJ-30…37) as a pure function. Data, timers and responses belong to its driver
 * (`http-session.ts`); the machine says what is to happen to them.
 *
 * Effects are in order; those that call the application come last, so that what it does in turn meets a settled state.
 */
export interface SessionState {
  readonly phase: 'new' | 'open' | 'closing' | 'gone';
  /** What hangs on the session now. A polling receiver is gone as soon as it is answered. */
  readonly receiver: 'none' | 'polling' | 'streaming';
  readonly hasHeld: boolean;
  readonly isFlushAwaited: boolean;
}

export type SessionInput =
  /** A receiving request came. */
  | { readonly type: 'attach'; readonly receiver: 'polling' | 'streaming' }
  /** The application sent; the message has been put with those held. */
  | { readonly type: 'held' }
  /** The turn of the event loop is over. */
  | { readonly type: 'flush' }
  /** The application closes. */
  | { readonly type: 'close' }
  /** The streaming response reached its limit. */
  | { readonly type: 'limit' }
  /** A response broke before the peer had it whole. */
  | { readonly type: 'aborted' }
  | { readonly type: 'overflow' }
  | { readonly type: 'heartbeat-due' }
  | { readonly type: 'disconnect-due' };

export type SessionEffect =
  /** The newcomer becomes the receiver; its response begins. */
  | 'adopt'
  /** The newcomer gets `c[2010,…]`. */
  | 'refuse'
  | 'write-open'
  /** All held messages as one frame. */
  | 'write-held'
  | 'write-heartbeat'
  | 'write-close'
  /** The response ends, normally. */
  | 'end'
  /** The response is destroyed. */
  | 'cut'
  | 'drop-held'
  | 'await-flush'
  | 'arm-heartbeat'
  | 'arm-disconnect'
  | 'forget'
  | 'report-opened'
  | 'report-closed'
  | 'report-interrupted'
  | 'report-timed-out'
  | 'report-slow';

export interface SessionStep {
  readonly state: SessionState;
  readonly effects: readonly SessionEffect[];
}

export const newSession: SessionState = { phase: 'new', receiver: 'none', hasHeld: false, isFlushAwaited: false };

export function stepSession(state: SessionState, input: SessionInput): SessionStep {
  switch (state.phase) {
    case 'new':
      return input.type === 'attach' ? open(state, input.receiver) : { state, effects: [] };
    case 'open':
      return stepOpen(state, input);
    case 'closing':
      return stepClosing(state, input);
    case 'gone':
      return { state, effects: [] };
  }
}

/** After a frame: a poll is answered, a stream goes on. */
function written(
  state: SessionState,
  receiver: 'polling' | 'streaming',
  before: readonly SessionEffect[],
  after: readonly SessionEffect[] = [],
): SessionStep {
  return receiver === 'polling'
    ? { state: { ...state, receiver: 'none' }, effects: [...before, 'end', 'arm-disconnect', ...after] }
    : { state: { ...state, receiver }, effects: [...before, 'arm-heartbeat', ...after] };
}

/** TM SJ-30. */
function open(state: SessionState, receiver: 'polling' | 'streaming'): SessionStep {
  return written({ ...state, phase: 'open' }, receiver, ['adopt', 'write-open'], ['report-opened']);
}

function stepOpen(state: SessionState, input: SessionInput): SessionStep {
  switch (input.type) {
    case 'attach':
      return attach(state, input.receiver);
    case 'held':
      return held(state);
    case 'flush':
      if (state.receiver === 'none' || !state.hasHeld)
        return { state: { ...state, isFlushAwaited: false }, effects: [] };
      return written({ ...state, hasHeld: false, isFlushAwaited: false }, state.receiver, ['write-held']);
    case 'close':
      return close(state);
    case 'limit':
      // TM SJ-35: the response ends, the session does not.
      if (state.receiver === 'none') return { state, effects: [] };
      return { state: { ...state, receiver: 'none' }, effects: ['end', 'arm-disconnect'] };
    case 'aborted':
      return interrupted(state);
    case 'overflow': {
      // TM FM-11. An attached peer does not read: nothing more would reach it.
      const cut: readonly SessionEffect[] = state.receiver === 'none' ? [] : ['cut'];
      return { state: closing(state, false), effects: ['drop-held', ...cut, 'arm-disconnect', 'report-slow'] };
    }
    case 'heartbeat-due':
      return state.receiver === 'none' ? { state, effects: [] } : written(state, state.receiver, ['write-heartbeat']);
    case 'disconnect-due':
      // TM SJ-33: no receiver came back.
      if (state.receiver !== 'none') return { state, effects: [] };
      return {
        state: { ...closing(state, false), phase: 'gone' },
        effects: ['drop-held', 'forget', 'report-timed-out'],
      };
  }
}

function attach(state: SessionState, receiver: 'polling' | 'streaming'): SessionStep {
  // TM SJ-31.
  if (state.receiver !== 'none') return { state, effects: ['refuse'] };
  // TM SJ-37.
  if (state.hasHeld) return written({ ...state, hasHeld: false }, receiver, ['adopt', 'write-held']);
  return { state: { ...state, receiver }, effects: ['adopt', 'arm-heartbeat'] };
}

function held(state: SessionState): SessionStep {
  if (state.receiver === 'none' || state.isFlushAwaited) return { state: { ...state, hasHeld: true }, effects: [] };
  return { state: { ...state, hasHeld: true, isFlushAwaited: true }, effects: ['await-flush'] };
}

function closing(state: SessionState, hasHeld: boolean): SessionState {
  return { ...state, phase: 'closing', receiver: 'none', hasHeld, isFlushAwaited: false };
}

/** TM SJ-32: what is held goes first; a poll has room for one frame, so the close frame waits for the next one. */
function close(state: SessionState): SessionStep {
  if (state.receiver === 'none')
    return { state: closing(state, state.hasHeld), effects: ['arm-disconnect', 'report-closed'] };
  return { state: closing(state, false), effects: [...farewell(state, state.receiver), 'report-closed'] };
}

function farewell(state: SessionState, receiver: 'polling' | 'streaming'): readonly SessionEffect[] {
  if (!state.hasHeld) return ['write-close', 'end', 'arm-disconnect'];
  if (receiver === 'polling') return ['write-held', 'end', 'arm-disconnect'];
  return ['write-held', 'write-close', 'end', 'arm-disconnect'];
}

/** TM SJ-33: what was on its way may be lost, so nothing may follow it. */
function interrupted(state: SessionState): SessionStep {
  const other: readonly SessionEffect[] = state.receiver === 'none' ? [] : ['write-close', 'end'];
  return { state: closing(state, false), effects: ['drop-held', ...other, 'arm-disconnect', 'report-interrupted'] };
}

function stepClosing(state: SessionState, input: SessionInput): SessionStep {
  if (input.type === 'attach')
    return { state: { ...state, hasHeld: false }, effects: ['adopt', ...farewell(state, input.receiver)] };
  if (input.type === 'disconnect-due') return { state: { ...state, phase: 'gone' }, effects: ['drop-held', 'forget'] };
  return { state, effects: [] };
}
