import type { Call, LiveCall } from './model.ts';

/** Ended calls in the list. */
export const MAX_RECENT = 50;

export type Calls = Readonly<Record<string, LiveCall>>;

/** News of a call: a new state ends what the user was waiting for. */
export function callTold(calls: Calls, call: Call, toldAt: number): Calls {
  const known = calls[call.id];
  // A call that ended before this page showed it is history; how an own one ended at once is worth a word.
  if (known === undefined && call.state === 'HANGUP' && call.isInbound) return calls;
  const isSame = known?.state === call.state;
  const isBusy = isSame && known.isBusy;
  return { ...calls, [call.id]: { ...call, toldAt, isBusy, problem: isSame ? known.problem : null } };
}

/** All calls that live, asked for at the opening `toldAt`: what was told before and is not among them has ended. */
export function callsListed(calls: Calls, listed: readonly Call[], toldAt: number): Calls {
  const live = new Map(listed.map((call) => [call.id, call]));
  const kept = Object.values(calls).filter((call) => call.toldAt >= toldAt || live.has(call.id));
  const told = new Set(kept.filter((call) => call.toldAt >= toldAt).map(({ id }) => id));
  const fresh = listed.filter(({ id }) => !told.has(id));
  return fresh.reduce<Calls>(
    (result, call) => callTold(result, call, toldAt),
    Object.fromEntries(kept.map((call) => [call.id, call])),
  );
}

export function callMarked(calls: Calls, id: string, mark: Pick<LiveCall, 'isBusy' | 'problem'>): Calls {
  const call = calls[id];
  return call === undefined ? calls : { ...calls, [id]: { ...call, ...mark } };
}

export function callForgotten(calls: Calls, id: string): Calls {
  return Object.fromEntries(Object.entries(calls).filter(([known]) => known !== id));
}

/** Newest first, each once. */
export function recordsAdded(recent: readonly Call[], added: readonly Call[]): readonly Call[] {
  const byId = new Map([...recent, ...added].map((call) => [call.id, call]));
  return [...byId.values()].sort((a, b) => (b.startedAt ?? 0) - (a.startedAt ?? 0)).slice(0, MAX_RECENT);
}

/** What asks for an answer, the oldest first; then what is going on. */
export function shownCalls(calls: Calls): readonly LiveCall[] {
  const rank = (call: LiveCall): number =>
    call.state === 'RINGING' && call.isInbound ? 0 : call.state === 'HANGUP' ? 2 : 1;
  return Object.values(calls).sort((a, b) => rank(a) - rank(b) || (a.startedAt ?? 0) - (b.startedAt ?? 0));
}

const ENDINGS: Readonly<Record<string, readonly [inbound: string, outbound: string]>> = {
  completed: ['Call ended', 'Call ended'],
  missed: ['Missed call', 'No answer'],
  rejected: ['Declined', 'Declined'],
  busy: ['Busy', 'Busy'],
  failed: ['Failed', 'Not reachable'],
  elsewhere: ['Answered elsewhere', 'Answered elsewhere'],
  lost: ['Connection lost', 'Connection lost'],
};

/** How a call ended, in words. */
export function endingOf(call: Pick<Call, 'reason' | 'isInbound'>): string {
  const words = ENDINGS[call.reason];
  return words === undefined ? 'Ended' : words[call.isInbound ? 0 : 1];
}
