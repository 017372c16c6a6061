import type { Static, TObject } from 'typebox';
import type { Call, CallState } from '../../core/calls/index.ts';
import type { callMembers } from './sse/events.ts';

const STATES = { ringing: 'RINGING', connected: 'ACTIVE', held: 'HELD', ended: 'HANGUP' } as const satisfies Record<
  CallState,
  string
>;

export type CallView = Static<TObject<typeof callMembers>>;

/** A call as the surface shows it (OF §4.3, `chatapi.call`, and ours). */
export function callView(call: Call): CallView {
  const isInbound = call.direction === 'inbound';
  return {
    call_id: call.id,
    state: STATES[call.state],
    prev_state: call.previous === null ? '' : STATES[call.previous],
    direction: call.direction,
    source: isInbound ? call.peer : call.number,
    destination: isInbound ? call.number : call.peer,
    other_call_id: '',
    name: call.peerName ?? 'UNKNOWN',
    start: isoTime(call.startedAt),
    answer: isoTime(call.connectedAt),
    end: isoTime(call.endedAt),
    reason: call.end ?? '',
  };
}

export function isoTime(at: number | null): string {
  return at === null ? '' : new Date(at).toISOString();
}
