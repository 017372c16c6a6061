import { type Clock, Listeners } from '../../kit/index.ts';
import type { NodeId } from '../cluster/index.ts';
import type { CallId, UserId } from '../journal/index.ts';
import type { CallIds } from './call-ids.ts';
import { ANNOUNCEMENT_MS, MAX_LIVE, MAX_LIVE_PER_NUMBER, SILENT_CALL_MS } from './limits.ts';
import { type LiveCall, LiveCalls } from './live-calls.ts';
import { beginCall, type CallStep, stepCall } from './machine.ts';
import type { Call } from './model.ts';
import type { CallEngine, EngineEvent, NumberOwner } from './ports.ts';

/** A user has begun to speak on the phone, or has stopped. */
export interface OnPhone {
  readonly user: UserId;
  readonly isOnPhone: boolean;
}

/** An engine's event with everything looked up that it needs. */
export interface Report {
  readonly engine: CallEngine;
  readonly event: EngineEvent;
  /** Canonical. */
  readonly number: string;
  readonly isAnnouncement: boolean;
  readonly owner: NumberOwner | null;
  readonly peerName: string | null;
}

export interface FollowerParts {
  readonly clock: Clock;
  readonly ids: CallIds;
  engineFor(number: string): CallEngine | null;
  /** Everybody who listens is told. */
  announce(call: Call): void;
  record(call: Call): void;
  /** A call of this node has begun, changed or ended. */
  owned(live: LiveCall): void;
  dropped(why: 'full' | 'unknown-call'): void;
  readonly maxLive?: number;
  readonly maxLivePerNumber?: number;
}

/** Follows calls from their first report to their end, and does what the state machine asks for. */
export class Follower {
  readonly live = new LiveCalls();
  readonly onPhone = new Listeners<OnPhone>();
  readonly #parts: FollowerParts;

  constructor(parts: FollowerParts) {
    this.#parts = parts;
  }

  report(report: Report): void {
    const { engine, event, peerName } = report;
    const known = this.live.byRef(engine, event.ref);
    if (known === undefined) return this.#begin(report);
    if (!report.isAnnouncement) known.isAnnouncement = false;
    const { state, end, peer } = event;
    this.#take(known, stepCall(known.call, { kind: 'reported', state, end, peer, peerName }, this.#parts.clock.now()));
  }

  /** Another node tells how one of its calls stands. */
  told(owner: NodeId, { call, ref }: Pick<LiveCall, 'call' | 'ref'>): void {
    const engine = this.#parts.engineFor(call.number);
    const known = this.live.byId(call.id);
    if (known !== undefined && (known.owner !== owner || isSame(known.call, call))) return;
    if (known !== undefined) return this.#take(known, { call, effects: ['announce', 'presence'] });
    if (call.state === 'ended' || engine === null) return;
    if (!this.#makeRoom(call.number)) return this.#parts.dropped('full');
    this.#keep({ call, engine, ref, isAnnouncement: false, owner, deadline: null }, ['announce', 'presence']);
  }

  /** Of what `owner` had told, only `left` live still. */
  gone(owner: NodeId, end: 'lost' | 'unknown', left: ReadonlySet<CallId> = new Set()): void {
    for (const live of this.live.ownedBy(owner)) if (!left.has(live.call.id)) this.#giveUp(live, end);
  }

  /** This node ends: nobody will follow its calls any more. */
  endOwn(): void {
    for (const live of this.live.ownedBy(null)) this.#giveUp(live, live.isAnnouncement ? 'unknown' : 'lost');
  }

  #begin({ engine, event, number, isAnnouncement, owner, peerName }: Report): void {
    const { direction, state, peer, end } = event;
    // The end of a call that was never heard of: an own dial that failed at once, or the echo of a call that was forgotten.
    const isFailedDial = direction === 'outbound' && (end === 'failed' || end === 'busy' || end === 'rejected');
    if (state === 'ended' && !isFailedDial) return this.#parts.dropped('unknown-call');
    if (!this.#makeRoom(number)) return this.#parts.dropped('full');
    const id = this.#parts.ids.of(engine, event.ref);
    const user = owner?.user ?? null;
    const seed = { id, number, user, direction, state, peer, peerName, end };
    const { call, effects } = beginCall(seed, this.#parts.clock.now());
    this.#keep({ call, engine, ref: event.ref, isAnnouncement, owner: null, deadline: null }, effects);
  }

  #keep(live: LiveCall, effects: CallStep['effects']): void {
    this.live.add(live);
    this.#take(live, { call: live.call, effects });
  }

  #take(live: LiveCall, step: CallStep): void {
    live.call = step.call;
    const isOver = step.call.state === 'ended';
    if (isOver) this.live.remove(live);
    else this.#expectNews(live);
    const isTalking = step.effects.includes('presence') || isOver ? this.live.notePresence(live) : null;
    for (const effect of step.effects) {
      if (effect === 'announce') this.#announce(live);
      if (effect === 'record' && step.call.user !== null) this.#parts.record(step.call);
    }
    if (isTalking !== null && step.call.user !== null)
      this.onPhone.emit({ user: step.call.user, isOnPhone: isTalking });
  }

  #announce(live: LiveCall): void {
    if (live.owner === null) this.#parts.owned(live);
    this.#parts.announce(live.call);
  }

  #expectNews(live: LiveCall): void {
    live.deadline?.cancel();
    const end = live.isAnnouncement ? 'unknown' : 'lost';
    const ms = live.isAnnouncement ? ANNOUNCEMENT_MS : SILENT_CALL_MS;
    live.deadline = this.#parts.clock.after(ms, () => this.#giveUp(live, end));
  }

  #giveUp(live: LiveCall, end: 'unknown' | 'lost'): void {
    const step = stepCall(live.call, { kind: 'silent', end }, this.#parts.clock.now());
    // What another node has, that node records.
    this.#take(live, live.owner !== null ? { ...step, effects: step.effects.filter((e) => e !== 'record') } : step);
  }

  /** On a full number the oldest call gives way; a full node takes no more. */
  #makeRoom(number: string): boolean {
    if (this.live.countOf(number) >= (this.#parts.maxLivePerNumber ?? MAX_LIVE_PER_NUMBER)) {
      const oldest = this.live.oldest(number);
      if (oldest !== undefined) this.#giveUp(oldest, oldest.isAnnouncement ? 'unknown' : 'lost');
    }
    return this.live.size < (this.#parts.maxLive ?? MAX_LIVE);
  }
}

function isSame(a: Call, b: Call): boolean {
  return a.state === b.state && a.peer === b.peer && a.peerName === b.peerName;
}
