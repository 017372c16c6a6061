/** How far a node has heard another's board: every message of a board has the number after the last one's. */
export interface Following {
  readonly last: number;
  /** `behind`: something was missed, and all of it is asked for; `loading`: it comes; `current`: nothing is missing. */
  readonly phase: 'behind' | 'loading' | 'current';
}

export type BoardMessage =
  /** What has changed. */
  | { readonly kind: 'changes'; readonly number: number }
  /** A part of all there is. Parts follow each other without anything between. */
  | { readonly kind: 'all'; readonly number: number; readonly isFirst: boolean; readonly isLast: boolean }
  /** The number of the last message, now and then: without it the loss of the last one would not be noticed. */
  | { readonly kind: 'beat'; readonly number: number };

/** `begin`, `apply`, `finish`: what is not applied between the first and the last stands no more. `ask`: for all of it. */
export type FollowEffect = 'begin' | 'apply' | 'finish' | 'ask';

export interface FollowStep {
  readonly state: Following;
  readonly effects: readonly FollowEffect[];
}

export const unheard: Following = { last: 0, phase: 'behind' };

/** A message of another node's board. Numbers are dense, so one that is not the next proves a loss. */
export function stepFollowing(state: Following, message: BoardMessage): FollowStep {
  const { number: last } = message;
  const isNext = last === state.last + 1;
  if (message.kind === 'beat')
    return state.phase === 'current' && last === state.last ? { state, effects: [] } : missed(last);
  if (message.kind === 'changes')
    return isNext && state.phase !== 'behind' ? { state: { ...state, last }, effects: ['apply'] } : missed(last);
  // Somebody else has missed something.
  if (state.phase === 'current' && isNext) return { state: { ...state, last }, effects: [] };
  if (!message.isFirst && !(state.phase === 'loading' && isNext)) return missed(last);
  return {
    state: { last, phase: message.isLast ? 'current' : 'loading' },
    effects: [
      ...(message.isFirst ? (['begin'] as const) : []),
      'apply',
      ...(message.isLast ? (['finish'] as const) : []),
    ],
  };
}

function missed(last: number): FollowStep {
  return { state: { last, phase: 'behind' }, effects: ['ask'] };
}
