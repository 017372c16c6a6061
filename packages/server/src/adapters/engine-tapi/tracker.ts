import {
  type CallDirection,
  type CallEnd,
  type CallState,
  canonicalNumber,
  type EngineEvent,
} from '../../core/calls/index.ts';
import { unreachable } from '../../kit/index.ts';
import type { TapiCallState } from './messages.ts';

/** Announcements and dials that may still find their call: what is older is not the same call. */
const MATCH_MS = 60_000;
/** An ERROR for a CALL counts within this time (TM §5.5). */
const REFUSAL_MS = 5_000;
/**
 * Announcements, dials and early states that wait to be matched; the oldest is forgotten.
 * @peer a call of its own
 * @test engine-tapi/limits: what waits to be matched
 */
export const MAX_UNMATCHED = 1_000;
/**
 * Calls followed on one connection; the oldest is given up as lost.
 * @peer the call ends as lost
 * @test engine-tapi/limits: calls that are followed
 */
export const MAX_TRACKED = 20_000;

/** Something that waits for its other half: an announcement or dial for its call id, an early state for its announcement. */
interface Unmatched {
  readonly own: string;
  readonly peer: string;
  readonly ref: string;
  readonly at: number;
}

interface Tracked {
  readonly callId: string;
  readonly own: string;
  readonly ref: string;
  readonly direction: CallDirection;
  peer: string;
  /** What was reported last; null = nothing yet: it rings, and NEWCALL has the say about ringing. */
  told: CallState | null;
}

/**
 * Finds out which announcements, dials and states are of one call. A plain TapiServer only announces; with the extended profile
 * states follow, under a call id that NEWCALL does not carry: number and far end join them.
 */
export class CallTracker {
  #made = 0;
  #announced: Unmatched[] = [];
  #dialled: Unmatched[] = [];
  readonly #calls = new Map<string, Tracked>();
  readonly #byRef = new Map<string, Tracked>();
  /** Incoming calls of which nothing has been told yet. */
  readonly #silent = new Set<Tracked>();

  get size(): number {
    return this.#calls.size;
  }

  /** NEWCALL: the authority for ringing. `own` is canonical. */
  announced(caller: string, own: string, isExtended: boolean, now: number): EngineEvent {
    if (isExtended) {
      for (const call of this.#silent)
        if (call.own === own && sameNumber(call.peer, caller)) return this.#report(call, 'ringing', null);
    }
    const ref = this.#newRef();
    if (isExtended) keep(this.#announced, { own, peer: caller, ref, at: now });
    return { ref, number: own, direction: 'inbound', state: 'ringing', peer: caller, end: null, isAnnouncement: true };
  }

  /** CALLSTATE. What it says about calls that nobody has heard of may be nothing. */
  stated(callId: string, state: TapiCallState, caller: string, own: string, now: number): readonly EngineEvent[] {
    const known = this.#calls.get(keyOf(own, callId));
    if (known !== undefined) {
      known.peer = caller;
      return this.#move(known, state);
    }
    const found = this.#match(caller, own, now);
    if (found === null && state !== 'RINGING' && state !== 'CONNECTED') return [];
    const direction = found?.direction ?? 'inbound';
    const told = direction === 'inbound' && found !== null ? ('ringing' as const) : null;
    const call: Tracked = { callId, own, ref: found?.ref ?? this.#newRef(), direction, peer: caller, told };
    const lost = this.#makeRoom();
    this.#calls.set(keyOf(own, callId), call);
    this.#byRef.set(call.ref, call);
    if (state === 'RINGING' && found === null) {
      // A call nobody has announced yet rings silently until NEWCALL says so.
      for (const oldest of this.#silent) if (this.#silent.size >= MAX_UNMATCHED) this.#silent.delete(oldest);
      this.#silent.add(call);
      return lost;
    }
    return [...lost, ...this.#move(call, state)];
  }

  /** CALL was written; its ref. */
  dialled(from: string, to: string, now: number): string {
    const ref = this.#newRef();
    keep(this.#dialled, { own: from, peer: to, ref, at: now });
    return ref;
  }

  /** ERROR,code,CALL,from,to: the dial failed, if there was one in the last five seconds. */
  refused([code, command, from, to]: readonly string[], now: number): EngineEvent | null {
    if (command !== 'CALL' || from === undefined || to === undefined) return null;
    const at = this.#dialled.findIndex((d) => d.own === from && d.peer === to && now - d.at <= REFUSAL_MS);
    const [dial] = at < 0 ? [] : this.#dialled.splice(at, 1);
    if (dial === undefined) return null;
    const end: CallEnd = code === 'BUSY' ? 'busy' : 'failed';
    const { ref, own, peer } = dial;
    return { ref, number: own, direction: 'outbound', state: 'ended', peer, end, isAnnouncement: false };
  }

  /** What HANGUP must name for this ref, or null where there is no such call. Announcements have no id. */
  named(ref: string): { readonly own: string; readonly callId: string | null } | null {
    const call = this.#byRef.get(ref);
    if (call !== undefined) return call;
    const early = [...this.#announced, ...this.#dialled].find((a) => a.ref === ref);
    return early === undefined ? null : { own: early.own, callId: null };
  }

  /** The connection is gone, or (with `own`) the number is no longer listened to: nothing more will be heard of these calls. */
  lost(own?: string): readonly EngineEvent[] {
    const isMeant = (item: { readonly own: string }): boolean => own === undefined || item.own === own;
    const events = [...this.#calls.values()].filter(isMeant).flatMap((call) => this.#end(call, 'lost'));
    this.#announced = this.#announced.filter((a) => !isMeant(a));
    this.#dialled = this.#dialled.filter((d) => !isMeant(d));
    return events;
  }

  #match(caller: string, own: string, now: number): { readonly ref: string; readonly direction: CallDirection } | null {
    const announcement = takeMatch(this.#announced, own, caller, now);
    if (announcement !== null) return { ref: announcement.ref, direction: 'inbound' };
    const dial = takeMatch(this.#dialled, own, caller, now);
    return dial === null ? null : { ref: dial.ref, direction: 'outbound' };
  }

  #move(call: Tracked, state: TapiCallState): readonly EngineEvent[] {
    switch (state) {
      case 'RINGING':
        return call.told === null && call.direction === 'inbound' ? [] : [this.#report(call, 'ringing', null)];
      case 'CONNECTED':
        return [this.#report(call, 'connected', null)];
      case 'ENDED':
        return this.#end(call, null);
      case 'MISSED':
        return this.#end(call, 'missed');
      case 'ANSWERED_ELSEWHERE':
        return this.#end(call, 'elsewhere');
      default:
        return unreachable(state);
    }
  }

  #report(call: Tracked, state: CallState, end: CallEnd | null): EngineEvent {
    call.told = state;
    this.#silent.delete(call);
    const { ref, own, direction, peer } = call;
    return { ref, number: own, direction, state, peer, end, isAnnouncement: false };
  }

  #end(call: Tracked, end: CallEnd | null): readonly EngineEvent[] {
    this.#calls.delete(keyOf(call.own, call.callId));
    this.#byRef.delete(call.ref);
    this.#silent.delete(call);
    // Where nothing was told of its life, nothing is told of its end; but a dial is owed one.
    if (call.told === null && call.direction === 'inbound') return [];
    return [this.#report(call, 'ended', call.told === null ? (end ?? 'failed') : end)];
  }

  #makeRoom(): readonly EngineEvent[] {
    if (this.#calls.size < MAX_TRACKED) return [];
    for (const oldest of this.#calls.values()) return this.#end(oldest, 'lost');
    return [];
  }

  #newRef(): string {
    this.#made++;
    return String(this.#made);
  }
}

function keyOf(own: string, callId: string): string {
  return `${own},${callId}`;
}

function keep(list: Unmatched[], item: Unmatched): void {
  while (list.length >= MAX_UNMATCHED || (list[0] !== undefined && item.at - list[0].at > MATCH_MS)) list.shift();
  list.push(item);
}

function takeMatch(list: Unmatched[], own: string, peer: string, now: number): Unmatched | null {
  const at = list.findIndex((item) => item.own === own && sameNumber(item.peer, peer) && now - item.at <= MATCH_MS);
  return at < 0 ? null : (list.splice(at, 1)[0] ?? null);
}

function sameNumber(a: string, b: string): boolean {
  return a === b || (canonicalNumber(a) ?? a) === (canonicalNumber(b) ?? b);
}
