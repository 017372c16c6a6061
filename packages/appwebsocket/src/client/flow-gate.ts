/**
 * Holds messages back while somebody has one in hand (AW §8.1 `setFlowControl`). Any number of holders share a
 * gate: flow control on one of the objects of a socket holds back the whole socket (AW §8.2).
 */
export class FlowGate<T> {
  private readonly deliver: (item: T) => void;
  private readonly holdBack: (isHeld: boolean) => void;
  private readonly holders = new Set<object>();
  private queue: { readonly item: T; readonly size: number }[] = [];
  private isDelivering = false;
  private isHeldBack = false;
  private atEnd: (() => void) | undefined;
  /** Size of what waits here: what was read in one piece before the socket was held back. */
  queuedSize = 0;

  /** @param holdBack stops or resumes reading below the gate. */
  constructor(deliver: (item: T) => void, holdBack: (isHeld: boolean) => void) {
    this.deliver = deliver;
    this.holdBack = holdBack;
  }

  take(item: T, size: number): void {
    if (this.holders.size === 0 && this.queue.length === 0 && !this.isDelivering) {
      this.deliver(item);
      if (this.holders.size > 0) this.settle();
      return;
    }
    this.queue.push({ item, size });
    this.queuedSize += size;
    this.settle();
  }

  hold(holder: object): void {
    this.holders.add(holder);
  }

  release(holder: object): void {
    this.holders.delete(holder);
    if (!this.isDelivering) this.pump();
  }

  /** Calls `done` when everything taken so far has been delivered. */
  end(done: () => void): void {
    this.atEnd = done;
    if (!this.isDelivering) this.pump();
  }

  /** Forgets what waits, and who holds. */
  clear(): void {
    this.queue = [];
    this.queuedSize = 0;
    this.holders.clear();
    if (!this.isDelivering) this.pump();
  }

  private pump(): void {
    this.isDelivering = true;
    try {
      while (this.holders.size === 0) {
        const next = this.queue.shift();
        if (next === undefined) break;
        this.queuedSize -= next.size;
        this.deliver(next.item);
      }
    } finally {
      this.isDelivering = false;
    }
    this.settle();
    if (this.queue.length === 0) {
      const { atEnd } = this;
      this.atEnd = undefined;
      atEnd?.();
    }
  }

  private settle(): void {
    const isHeldBack = this.holders.size > 0 || this.queue.length > 0;
    if (isHeldBack === this.isHeldBack) return;
    this.isHeldBack = isHeldBack;
    this.holdBack(isHeldBack);
  }
}
