import { unreachable } from '../../kit/index.ts';
import type { Call, CallDirection, CallEnd, CallState } from './model.ts';

/** What can happen to a call. */
export type CallInput =
  /** The engine reports how it stands, and who is at the far end. */
  | {
      readonly kind: 'reported';
      readonly state: CallState;
      readonly end: CallEnd | null;
      readonly peer: string;
      readonly peerName: string | null;
    }
  /** Its time without news is over: an announcement ends `unknown`, a call that was followed `lost`. */
  | { readonly kind: 'silent'; readonly end: 'unknown' | 'lost' };

/** What must be done about it. `presence`: whether the user is on the phone may have changed. */
export type CallEffect = 'announce' | 'record' | 'presence';

export interface CallStep {
  readonly call: Call;
  readonly effects: readonly CallEffect[];
}

/** ringing → connected ⇄ held → ended. Engines may skip a state; nothing goes back to ringing or comes back from ended. */
const NEXT: Readonly<Record<CallState, readonly CallState[]>> = {
  ringing: ['connected', 'held', 'ended'],
  connected: ['held', 'ended'],
  held: ['connected', 'ended'],
  ended: [],
};

const NOTHING: readonly CallEffect[] = [];

/** A call as it is first heard of, in whatever state. */
export function beginCall(
  seed: Pick<Call, 'id' | 'number' | 'user' | 'direction' | 'state' | 'peer' | 'peerName' | 'end'>,
  now: number,
): CallStep {
  const isTalking = isOnPhone(seed.state);
  const isOver = seed.state === 'ended';
  const call: Call = {
    ...seed,
    previous: null,
    startedAt: now,
    connectedAt: isTalking ? now : null,
    endedAt: isOver ? now : null,
    end: isOver ? (seed.end ?? 'unknown') : null,
  };
  if (isOver) return { call, effects: ['announce', 'record'] };
  return { call, effects: isTalking ? ['announce', 'presence'] : ['announce'] };
}

/** The next state of a call. The same call comes back where nothing changes. */
export function stepCall(call: Call, input: CallInput, now: number): CallStep {
  switch (input.kind) {
    case 'silent':
      return call.state === 'ended' ? { call, effects: NOTHING } : moved(call, 'ended', input.end, now);
    case 'reported': {
      if (call.state === 'ended') return { call, effects: NOTHING };
      const { peer, peerName } = input;
      const named = peer === call.peer ? call : { ...call, peer, peerName };
      if (NEXT[call.state].includes(input.state)) return moved(named, input.state, input.end, now);
      // A report that comes late or twice tells at most who is there.
      return { call: named, effects: named === call ? NOTHING : ['announce'] };
    }
    default:
      return unreachable(input);
  }
}

function moved(call: Call, state: CallState, end: CallEnd | null, now: number): CallStep {
  const isOver = state === 'ended';
  const next: Call = {
    ...call,
    state,
    previous: call.state,
    connectedAt: isOver ? call.connectedAt : (call.connectedAt ?? now),
    endedAt: isOver ? now : null,
    end: isOver ? (end ?? endOf(call.direction, call.connectedAt)) : null,
  };
  const effects: CallEffect[] = ['announce'];
  if (isOver) effects.push('record');
  if (isOnPhone(call.state) !== isOnPhone(state)) effects.push('presence');
  return { call: next, effects };
}

/** How a call ended whose engine gives no reason. */
function endOf(direction: CallDirection, connectedAt: number | null): CallEnd {
  if (connectedAt !== null) return 'completed';
  return direction === 'inbound' ? 'missed' : 'unknown';
}

/** Whether a user with a call in this state is on the phone: speaking, or holding somebody. Ringing is not. */
export function isOnPhone(state: CallState): boolean {
  return state === 'connected' || state === 'held';
}
