import type { CallLog } from './log.ts';
import type { Follower, Report } from './follow.ts';
import { MAX_PENDING_EVENTS } from './limits.ts';
import type { Names } from './names.ts';
import { canonicalNumber } from './number.ts';
import type { CallEngine, EngineEvent } from './ports.ts';

/** Why events were not followed, and how often. */
export interface Dropped {
  /** The number is none, or belongs to another engine. */
  stray: number;
  /** Too many events wait for names. */
  pending: number;
  /** Too many calls live. */
  full: number;
  /** The end of a call that is not known. */
  'unknown-call': number;
}

export interface IntakeParts {
  readonly follower: Follower;
  readonly names: Names;
  readonly dropped: Dropped;
  readonly log: CallLog;
  engineFor(number: string): CallEngine | null;
  readonly maxPending?: number;
}

/** Takes engines' events, looks up whom they are about, and hands them on in the order of their coming, per number. */
export class Intake {
  readonly #parts: IntakeParts;
  /** What waits, by number: the last event's end. */
  readonly #chains = new Map<string, Promise<void>>();
  #pending = 0;
  #isClosed = false;

  constructor(parts: IntakeParts) {
    this.#parts = parts;
  }

  get pending(): number {
    return this.#pending;
  }

  close(): void {
    this.#isClosed = true;
  }

  take(engine: CallEngine, event: EngineEvent): void {
    const { follower, dropped, log } = this.#parts;
    const number = canonicalNumber(event.number);
    if (this.#isClosed) return;
    if (number === undefined || this.#parts.engineFor(number) !== engine) {
      dropped.stray++;
      return log.debug('a call of a number that does not belong here', { engine: engine.name });
    }
    const isAnnouncement = event.isAnnouncement ?? !engine.abilities.reportsProgress;
    const chain = this.#chains.get(number);
    const known = follower.live.byRef(engine, event.ref);
    const fixed = { engine, event, number, isAnnouncement };
    if (chain === undefined && known !== undefined && known.call.peer === event.peer)
      return follower.report({ ...fixed, owner: null, peerName: known.call.peerName });
    if (this.#pending >= (this.#parts.maxPending ?? MAX_PENDING_EVENTS)) {
      dropped.pending++;
      if (dropped.pending === 1) log.warn('calls come faster than names are found', { engine: engine.name });
      return;
    }
    this.#wait(chain, fixed);
  }

  #wait(chain: Promise<void> | undefined, fixed: Omit<Report, 'owner' | 'peerName'>): void {
    const { follower, names } = this.#parts;
    const { number, event } = fixed;
    const found = Promise.all([names.of(number), names.of(event.peer)]);
    this.#pending++;
    const next: Promise<void> = (chain ?? Promise.resolve())
      .then(() => found)
      .then(([owner, peer]) => {
        if (!this.#isClosed) follower.report({ ...fixed, owner, peerName: peer?.displayName ?? null });
      })
      .catch((error: unknown) => {
        this.#parts.log.warn('a call event failed', { reason: error instanceof Error ? error.message : 'unknown' });
      })
      .finally(() => {
        this.#pending--;
        if (this.#chains.get(number) === next) this.#chains.delete(number);
      });
    this.#chains.set(number, next);
  }
}
