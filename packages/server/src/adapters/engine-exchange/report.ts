import type { CallEnd, CallState, EngineEvent } from '../../core/calls/index.ts';
import { CAUSE, type Cause, type Setup } from '../../core/exchange/index.ts';

/** What a report needs to know of a standing call. */
export interface Seen {
  readonly setup: Setup;
  readonly phase: 'new' | 'offering' | 'connected' | 'ended';
  readonly cause: Cause | null;
  readonly wasConnected: boolean;
}

/** A call's name at each of its two numbers. */
export function refsOf(setup: Setup): { readonly caller: string; readonly callee: string } {
  return { caller: `${setup.conference}-a`, callee: `${setup.conference}-b` };
}

/** One telephone call as its two numbers see it; a party without a number has no report. Pure. */
export function reportsOf({ setup, phase, cause, wasConnected }: Seen): readonly EngineEvent[] {
  const state: CallState = phase === 'ended' ? 'ended' : phase === 'connected' ? 'connected' : 'ringing';
  const { caller, callee } = setup;
  const refs = refsOf(setup);
  const reports: EngineEvent[] = [];
  if (caller.number !== null) {
    const end = state === 'ended' ? endOf(cause, wasConnected, 'outbound') : null;
    const peer = callee.number ?? callee.name;
    reports.push({ ref: refs.caller, number: caller.number, direction: 'outbound', state, peer, end });
  }
  if (callee.number !== null) {
    const end = state === 'ended' ? endOf(cause, wasConnected, 'inbound') : null;
    const peer = caller.number ?? caller.name;
    reports.push({ ref: refs.callee, number: callee.number, direction: 'inbound', state, peer, end });
  }
  return reports;
}

/** Causes (PBX §2.7) as applications see them. */
export function endOf(cause: Cause | null, wasConnected: boolean, direction: 'inbound' | 'outbound'): CallEnd {
  if (wasConnected) return cause === CAUSE.lost ? 'lost' : 'completed';
  switch (cause) {
    case CAUSE.busy:
      return 'busy';
    case CAUSE.rejected:
      return 'rejected';
    case CAUSE.normal:
    case CAUSE.noReaction:
    case CAUSE.noAnswer:
      return 'missed';
    case CAUSE.lost:
      return 'lost';
    default:
      return direction === 'inbound' ? 'missed' : 'failed';
  }
}
