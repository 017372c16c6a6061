interface Waiting<T> {
  readonly item: T;
  readonly size: number;
}

/**
 * Holds messages back while somebody has one in hand (AW §8.1 `setFlowControl`). Any number of holders share a
 * gate: flow control on one of the objects of a socket holds back the whole socket (AW §8.2).
 */
export class FlowGate<T> {
  readonly #deliver: (item: T) => void;
  readonly #holdBack: (isHeld: boolean) => void;
  readonly #holders = new Set<object>();
  #queue: Waiting<T>[] = [];
  #isDelivering = false;
  #isHeldBack = false;
  #atEnd: (() => void) | undefined;
  /** Size of what waits here: what was read in one piece before the socket was held back. */
  queuedSize = 0;

  /** @param holdBack stops or resumes reading below the gate. */
  constructor(deliver: (item: T) => void, holdBack: (isHeld: boolean) => void) {
    this.#deliver = deliver;
    this.#holdBack = holdBack;
  }

  /** Delivers `item` now, or keeps it until nobody holds. */
  take(item: T, size: number): void {
    // Most messages find nobody before them, and need not queue.
    if (!this.#isDelivering && this.#holders.size === 0 && this.#queue.length === 0) return this.#pass(item);
    this.#queue.push({ item, size });
    this.queuedSize += size;
    this.#pump();
  }

  hold(holder: object): void {
    this.#holders.add(holder);
  }

  release(holder: object): void {
    this.#holders.delete(holder);
    this.#pump();
  }

  /** Calls `done` when everything taken so far has been delivered. */
  end(done: () => void): void {
    this.#atEnd = done;
    this.#pump();
  }

  /** Forgets what waits, and who holds. */
  clear(): void {
    this.#queue = [];
    this.queuedSize = 0;
    this.#holders.clear();
    this.#pump();
  }

  #pass(item: T): void {
    this.#isDelivering = true;
    try {
      this.#deliver(item);
    } catch (error) {
      this.#isDelivering = false;
      this.#settle();
      throw error;
    }
    this.#isDelivering = false;
    if (this.#queue.length === 0) this.#settle();
    else this.#pump();
  }

  #pump(): void {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    try {
      while (this.#holders.size === 0) {
        const next = this.#queue.shift();
        if (next === undefined) break;
        this.queuedSize -= next.size;
        this.#deliver(next.item);
      }
    } finally {
      this.#isDelivering = false;
      this.#settle();
    }
  }

  #settle(): void {
    const isWaiting = this.#queue.length > 0;
    const isHeldBack = isWaiting || this.#holders.size > 0;
    if (isHeldBack !== this.#isHeldBack) {
      this.#isHeldBack = isHeldBack;
      this.#holdBack(isHeldBack);
    }
    // A receiver that threw has not stopped the rest.
    if (isWaiting && this.#holders.size === 0) queueMicrotask(() => this.#pump());
    if (isWaiting) return;
    const atEnd = this.#atEnd;
    this.#atEnd = undefined;
    atEnd?.();
  }
}
