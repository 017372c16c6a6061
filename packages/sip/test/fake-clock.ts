import type { Clock, Timer } from '../src/clock/index.ts';

interface Pending {
  readonly due: number;
  readonly order: number;
  readonly fire: () => void;
}

/** A clock that moves when the test says so. */
export class FakeClock implements Clock {
  #now = 0;
  #order = 0;
  readonly #pending = new Set<Pending>();

  get size(): number {
    return this.#pending.size;
  }

  now(): number {
    return this.#now;
  }

  after(delayMs: number, fire: () => void): Timer {
    const pending = { due: this.#now + delayMs, order: (this.#order += 1), fire };
    this.#pending.add(pending);
    return { cancel: () => void this.#pending.delete(pending) };
  }

  /** Moves on and fires what is due, in order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (let next = this.#earliest(end); next; next = this.#earliest(end)) {
      this.#now = Math.max(this.#now, next.due);
      this.#pending.delete(next);
      next.fire();
    }
    this.#now = end;
  }

  /** As `advance`, in small steps, letting promises settle between them. */
  async pass(ms: number, stepMs = 100): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      this.advance(Math.min(left, stepMs));
      await settle();
    }
  }

  #earliest(end: number): Pending | undefined {
    let best: Pending | undefined;
    for (const p of this.#pending)
      if (p.due <= end && (!best || p.due < best.due || (p.due === best.due && p.order < best.order))) best = p;
    return best;
  }
}

/** Lets everything that waits on promises run. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 3; i += 1) await new Promise((resolve) => setImmediate(resolve));
}
