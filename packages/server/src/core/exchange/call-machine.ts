import { unreachable } from '../../kit/index.ts';
import { CAUSE, type Cause, type LegId } from './model.ts';

export type ForkState = 'offered' | 'alerting' | 'connected' | 'released';

/** One call: a caller (or the PBX itself) and the forks towards the callee's devices. */
export interface CallState {
  readonly phase: 'new' | 'offering' | 'connected' | 'ended';
  /** The caller has been told that the call is connected: by a device, a live session or the store. */
  readonly isAnswered: boolean;
  readonly forks: ReadonlyMap<LegId, ForkState>;
  /** The device that has the call. */
  readonly winner: LegId | null;
  readonly refusals: readonly Cause[];
  readonly hasAlerted: boolean;
}

export type CallInput =
  /** `isTaken`: a live session or the store answers for the callee. */
  | { readonly type: 'start'; readonly forks: readonly LegId[]; readonly isTaken: boolean }
  | { readonly type: 'alert'; readonly leg: LegId }
  | { readonly type: 'connect'; readonly leg: LegId }
  | { readonly type: 'refuse'; readonly leg: LegId; readonly cause: Cause }
  | { readonly type: 'hang-up'; readonly cause: Cause }
  /** A device of the callee registered while the call is offered. */
  | { readonly type: 'join'; readonly leg: LegId }
  | { readonly type: 'timeout' };

export type CallEffect =
  | { readonly do: 'tell-caller'; readonly what: 'proceeding' | 'alerting' | 'connected' }
  | { readonly do: 'release-caller'; readonly cause: Cause }
  | { readonly do: 'offer'; readonly leg: LegId }
  | { readonly do: 'won'; readonly leg: LegId }
  | { readonly do: 'release'; readonly leg: LegId; readonly cause: Cause }
  | { readonly do: 'start-timer' }
  | { readonly do: 'stop-timer' }
  | { readonly do: 'end'; readonly cause: Cause };

export const newCall: CallState = {
  phase: 'new',
  isAnswered: false,
  forks: new Map(),
  winner: null,
  refusals: [],
  hasAlerted: false,
};

type Step = readonly [CallState, readonly CallEffect[]];

/** The call of PBX §2.2, §3.3 and §3.4: forking, first connect wins, best cause. Pure. */
export function stepCall(state: CallState, input: CallInput): Step {
  if (state.phase === 'ended') return [state, []];
  switch (input.type) {
    case 'start':
      return start(state, input);
    case 'alert':
      return alert(state, input.leg);
    case 'connect':
      return connect(state, input.leg);
    case 'refuse':
      return refuse(state, input.leg, input.cause);
    case 'hang-up':
      return end(state, input.cause, null);
    case 'join':
      if (state.phase !== 'offering' || state.winner !== null) return [state, []];
      return [withFork(state, input.leg, 'offered'), [{ do: 'offer', leg: input.leg }]];
    case 'timeout':
      return timeout(state);
    default:
      return unreachable(input);
  }
}

function start(state: CallState, input: Extract<CallInput, { type: 'start' }>): Step {
  const effects: CallEffect[] = [{ do: 'tell-caller', what: 'proceeding' }];
  if (input.forks.length === 0 && !input.isTaken) {
    effects.push({ do: 'release-caller', cause: CAUSE.absent }, { do: 'end', cause: CAUSE.absent });
    return [{ ...state, phase: 'ended' }, effects];
  }
  if (input.isTaken) effects.push({ do: 'tell-caller', what: 'connected' });
  for (const leg of input.forks) effects.push({ do: 'offer', leg });
  if (input.forks.length > 0) effects.push({ do: 'start-timer' });
  const forks = new Map(input.forks.map((leg) => [leg, 'offered' as const]));
  return [
    { ...state, phase: input.forks.length > 0 ? 'offering' : 'connected', isAnswered: input.isTaken, forks },
    effects,
  ];
}

function alert(state: CallState, leg: LegId): Step {
  if (state.forks.get(leg) !== 'offered') return [state, []];
  const next = { ...withFork(state, leg, 'alerting'), hasAlerted: true };
  return [next, state.hasAlerted || state.isAnswered ? [] : [{ do: 'tell-caller', what: 'alerting' }]];
}

function connect(state: CallState, leg: LegId): Step {
  const fork = state.forks.get(leg);
  if (state.winner !== null || (fork !== 'offered' && fork !== 'alerting')) return [state, []];
  const effects: CallEffect[] = [{ do: 'stop-timer' }, { do: 'won', leg }];
  const forks = new Map(state.forks);
  for (const [other, otherState] of state.forks) {
    if (other === leg || otherState === 'released') continue;
    forks.set(other, 'released');
    effects.push({ do: 'release', leg: other, cause: CAUSE.elsewhere });
  }
  forks.set(leg, 'connected');
  if (!state.isAnswered) effects.push({ do: 'tell-caller', what: 'connected' });
  return [{ ...state, phase: 'connected', isAnswered: true, winner: leg, forks }, effects];
}

function refuse(state: CallState, leg: LegId, cause: Cause): Step {
  const fork = state.forks.get(leg);
  if (fork === undefined || fork === 'released') return [state, []];
  if (state.winner === leg) return end(state, cause, leg);
  const next: CallState = { ...withFork(state, leg, 'released'), refusals: [...state.refusals, cause] };
  if (hasLiveFork(next)) return [next, []];
  if (next.isAnswered) return [{ ...next, phase: 'connected' }, [{ do: 'stop-timer' }]];
  return end(next, bestCause(next.refusals), null);
}

function timeout(state: CallState): Step {
  if (state.phase !== 'offering') return [state, []];
  const cause = state.hasAlerted ? CAUSE.noAnswer : CAUSE.noReaction;
  const forks = new Map([...state.forks.keys()].map((leg) => [leg, 'released' as const]));
  if (!state.isAnswered) {
    const [ended, effects] = end(state, cause, null);
    return [{ ...ended, forks }, effects];
  }
  const effects: CallEffect[] = [];
  for (const [leg, fork] of state.forks)
    if (fork !== 'released') effects.push({ do: 'release', leg, cause: CAUSE.timer });
  return [{ ...state, phase: 'connected', forks }, effects];
}

/** Ends the call for everybody but `except`, who has ended it himself (`null`: the caller or nobody has). */
function end(state: CallState, cause: Cause, except: LegId | null): Step {
  const effects: CallEffect[] = [{ do: 'stop-timer' }];
  for (const [leg, fork] of state.forks)
    if (fork !== 'released' && leg !== except) effects.push({ do: 'release', leg, cause });
  effects.push({ do: 'release-caller', cause }, { do: 'end', cause });
  return [{ ...state, phase: 'ended' }, effects];
}

function withFork(state: CallState, leg: LegId, fork: ForkState): CallState {
  return { ...state, forks: new Map(state.forks).set(leg, fork) };
}

function hasLiveFork(state: CallState): boolean {
  return [...state.forks.values()].some((fork) => fork !== 'released');
}

/** PBX §3.3: 21 before 17 before others, else the last. */
export function bestCause(refusals: readonly Cause[]): Cause {
  if (refusals.includes(CAUSE.rejected)) return CAUSE.rejected;
  if (refusals.includes(CAUSE.busy)) return CAUSE.busy;
  return refusals.at(-1) ?? CAUSE.absent;
}
