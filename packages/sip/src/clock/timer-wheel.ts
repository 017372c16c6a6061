import type { Clock, Timer } from './clock.ts';

/** Resolution. SIP's timers are multiples of 100 ms or more; 10 ms late is nothing to them. */
const TICK_MS = 10;
/** One turn is 40.96 s: longer than 64*T1, so that almost every SIP timer is due in the turn in which it was set. */
const SLOTS = 4096;

interface Entry extends Timer {
  tick: number;
  fire: (() => void) | undefined;
  next: Entry | undefined;
  previous: Entry | undefined;
}

/**
 * Many timers on one: a hashed wheel. Setting and cancelling cost a few writes, whatever the number of timers,
 * and an idle wheel sleeps until the next slot that holds something.
 */
export class TimerWheel implements Clock {
  readonly #clock: Clock;
  readonly #origin: number;
  readonly #slots = new Array<Entry | undefined>(SLOTS).fill(undefined);
  /** Everything due at or before this tick has fired. */
  #done = 0;
  #size = 0;
  #wakeTick = Infinity;
  #wake: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#origin = clock.now();
  }

  /** Timers that are set and have not fired. */
  get size(): number {
    return this.#size;
  }

  now(): number {
    return this.#clock.now();
  }

  after(delayMs: number, fire: () => void): Timer {
    const dueMs = this.#clock.now() - this.#origin + Math.max(0, delayMs);
    const tick = Math.max(Math.ceil(dueMs / TICK_MS), this.#done + 1);
    const entry: Entry = {
      tick,
      fire,
      next: undefined,
      previous: undefined,
      cancel: () => this.#remove(entry),
    };
    const slot = tick % SLOTS;
    const head = this.#slots[slot];
    entry.next = head;
    if (head) head.previous = entry;
    this.#slots[slot] = entry;
    this.#size += 1;
    if (tick < this.#wakeTick) this.#sleepUntil(tick);
    return entry;
  }

  /** Drops every timer without firing it. */
  clear(): void {
    for (let slot = 0; slot < SLOTS; slot += 1) {
      let entry = this.#slots[slot];
      while (entry) {
        const next = entry.next;
        this.#remove(entry);
        entry = next;
      }
    }
  }

  #remove(entry: Entry): void {
    if (!entry.fire) return;
    entry.fire = undefined;
    if (entry.previous) entry.previous.next = entry.next;
    else this.#slots[entry.tick % SLOTS] = entry.next;
    if (entry.next) entry.next.previous = entry.previous;
    this.#size -= 1;
    if (this.#size === 0) this.#sleepUntil(Infinity);
  }

  #sleepUntil(tick: number): void {
    this.#wake?.cancel();
    this.#wake = undefined;
    this.#wakeTick = tick;
    if (tick === Infinity) return;
    const delayMs = this.#origin + tick * TICK_MS - this.#clock.now();
    this.#wake = this.#clock.after(Math.max(0, delayMs), () => this.#turn());
  }

  #turn(): void {
    this.#wake = undefined;
    this.#wakeTick = Infinity;
    const now = Math.floor((this.#clock.now() - this.#origin) / TICK_MS);
    // A long pause (a suspended machine) must not visit a slot twice.
    const from = Math.max(this.#done + 1, now - SLOTS + 1);
    let isWhole = true;
    try {
      for (let tick = from; tick <= now; tick += 1) {
        this.#done = tick;
        isWhole = false;
        this.#fireSlot(tick % SLOTS, now);
        isWhole = true;
      }
    } finally {
      // A callback threw: the others of this moment are still due.
      if (!isWhole) this.#done -= 1;
      if (this.#size > 0) this.#sleepUntil(this.#nextTick());
    }
  }

  #fireSlot(slot: number, now: number): void {
    const due: Entry[] = [];
    for (let entry = this.#slots[slot]; entry; entry = entry.next) if (entry.tick <= now) due.push(entry);
    // The list is newest first; timers of one tick fire in the order in which they were set.
    for (let i = due.length - 1; i >= 0; i -= 1) {
      const entry = due[i];
      const fire = entry?.fire;
      if (!entry || !fire) continue;
      this.#remove(entry);
      fire();
    }
  }

  #nextTick(): number {
    for (let ahead = 1; ahead <= SLOTS; ahead += 1) {
      const tick = this.#done + ahead;
      if (this.#slots[tick % SLOTS]) return tick;
    }
    return Infinity;
  }
}
