/** The arithmetic of the benchmarks. */

/** Over this share of its core the load agent may be what was measured. */
export const MAX_AGENT_SHARE = 0.8;

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** The smallest value that at least `share` of all are not above (nearest rank). */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** How much each unit of `x` adds to `y`, between two points. */
export function slope(from: readonly [x: number, y: number], to: readonly [x: number, y: number]): number {
  return (to[1] - from[1]) / (to[0] - from[0]);
}

/** Which of the events that go to everybody are out, and how many have them: each receiver gets them in order. */
export class FanOutCount {
  readonly #receivers: number;
  readonly #seen: Uint32Array;
  /** Receivers that have event `n`, at `n % length`. */
  readonly #have: Uint32Array;
  #complete = 0;
  #deliveries = 0;

  constructor(receivers: number, window: number) {
    this.#receivers = receivers;
    this.#seen = new Uint32Array(receivers);
    this.#have = new Uint32Array(window);
  }

  /** Events that all receivers have. */
  get complete(): number {
    return this.#complete;
  }

  get deliveries(): number {
    return this.#deliveries;
  }

  /** This receiver has got so many more. @returns how many events became complete by it */
  got(receiver: number, events: number): number {
    const before = this.#complete;
    this.#deliveries += events;
    for (let i = 0; i < events; i++) {
      const slot = (this.#seen[receiver] as number) % this.#have.length;
      this.#seen[receiver] = (this.#seen[receiver] as number) + 1;
      const have = (this.#have[slot] as number) + 1;
      this.#have[slot] = have % this.#receivers;
      if (have === this.#receivers) this.#complete++;
    }
    return this.#complete - before;
  }
}
