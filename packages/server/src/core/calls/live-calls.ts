import type { Timer } from '../../kit/index.ts';
import type { NodeId } from '../cluster/index.ts';
import type { CallId, UserId } from '../journal/index.ts';
import { isOnPhone } from './machine.ts';
import type { Call } from './model.ts';
import type { CallEngine } from './ports.ts';

/** A live call with what only the service knows of it. */
export interface LiveCall {
  call: Call;
  readonly engine: CallEngine;
  readonly ref: string;
  isAnnouncement: boolean;
  /** The other node that has it and records it; null: this one. */
  readonly owner: NodeId | null;
  deadline: Timer | null;
}

function refKey(engine: CallEngine, ref: string): string {
  return `${engine.name}\n${ref}`;
}

/** The calls that live now, by id, by engine and ref, by number and by user. */
export class LiveCalls {
  readonly #byId = new Map<CallId, LiveCall>();
  readonly #byRef = new Map<string, LiveCall>();
  readonly #byNumber = new Map<string, Set<LiveCall>>();
  /** Calls in which a user is on the phone. */
  readonly #talking = new Map<UserId, Set<CallId>>();

  get size(): number {
    return this.#byId.size;
  }

  byId(id: CallId): LiveCall | undefined {
    return this.#byId.get(id);
  }

  byRef(engine: CallEngine, ref: string): LiveCall | undefined {
    return this.#byRef.get(refKey(engine, ref));
  }

  /** Oldest first. */
  ofNumber(number: string): readonly LiveCall[] {
    return [...(this.#byNumber.get(number) ?? [])];
  }

  /** What this node (null) or another one has, in no order. */
  ownedBy(owner: NodeId | null): readonly LiveCall[] {
    return [...this.#byId.values()].filter((live) => live.owner === owner);
  }

  countOf(number: string): number {
    return this.#byNumber.get(number)?.size ?? 0;
  }

  /** The call that makes room for another on a full number: the oldest announcement, else the oldest. */
  oldest(number: string): LiveCall | undefined {
    const calls = this.#byNumber.get(number);
    if (calls === undefined) return undefined;
    for (const live of calls) if (live.isAnnouncement) return live;
    for (const live of calls) return live;
    return undefined;
  }

  add(live: LiveCall): void {
    this.#byId.set(live.call.id, live);
    this.#byRef.set(refKey(live.engine, live.ref), live);
    const calls = this.#byNumber.get(live.call.number) ?? new Set();
    this.#byNumber.set(live.call.number, calls.add(live));
  }

  remove(live: LiveCall): void {
    live.deadline?.cancel();
    live.deadline = null;
    this.#byId.delete(live.call.id);
    this.#byRef.delete(refKey(live.engine, live.ref));
    const calls = this.#byNumber.get(live.call.number);
    calls?.delete(live);
    if (calls?.size === 0) this.#byNumber.delete(live.call.number);
  }

  /** Notes whether the call's user speaks in it; tells the user's new state where that has changed, else null. */
  notePresence(live: LiveCall): boolean | null {
    const { user, id, state } = live.call;
    if (user === null || live.isAnnouncement) return null;
    const calls = this.#talking.get(user) ?? new Set();
    const before = calls.size > 0;
    if (isOnPhone(state)) calls.add(id);
    else calls.delete(id);
    if (calls.size > 0) this.#talking.set(user, calls);
    else this.#talking.delete(user);
    return before === calls.size > 0 ? null : !before;
  }

  isOnPhone(user: UserId): boolean {
    return this.#talking.has(user);
  }

  /** Forgets everything; no timer stays. */
  clear(): void {
    for (const live of this.#byId.values()) live.deadline?.cancel();
    this.#byId.clear();
    this.#byRef.clear();
    this.#byNumber.clear();
    this.#talking.clear();
  }
}
