import type { Timers } from './timers.ts';

/** While somebody types, the other side is reminded this often. */
export const REMIND_MS = 4_000;
/** Who has pressed no key for so long has paused. */
export const PAUSE_MS = 5_000;
/** A peer that said nothing more for so long is not typing any more; its "paused" may be lost. */
export const EXPIRE_MS = 10_000;

/** Tells the other side that the user is typing: not at every key, and that it has ended. */
export class TypingTeller {
  readonly #timers: Timers;
  readonly #tell: (peer: string, state: 'composing' | 'paused') => void;
  #current: { readonly peer: string; readonly toldAt: number; readonly cancel: () => void } | null = null;

  constructor(timers: Timers, tell: (peer: string, state: 'composing' | 'paused') => void) {
    this.#timers = timers;
    this.#tell = tell;
  }

  /** A key was pressed. */
  typed(peer: string): void {
    if (this.#current !== null && this.#current.peer !== peer) this.stopped();
    this.#current?.cancel();
    const now = this.#timers.now();
    const isDue = this.#current === null || now - this.#current.toldAt >= REMIND_MS;
    if (isDue) this.#tell(peer, 'composing');
    const toldAt = isDue ? now : (this.#current?.toldAt ?? now);
    this.#current = { peer, toldAt, cancel: this.#timers.after(PAUSE_MS, () => this.stopped()) };
  }

  /** The text was deleted, or its field left. */
  stopped(): void {
    if (this.#current === null) return;
    const { peer } = this.#current;
    this.sent();
    this.#tell(peer, 'paused');
  }

  /** The text was sent: the message itself ends the typing. */
  sent(): void {
    this.#current?.cancel();
    this.#current = null;
  }
}

/** Forgets that a peer is typing when it says nothing more. */
export class TypingWatch {
  readonly #timers: Timers;
  readonly #changed: (peer: string, isTyping: boolean) => void;
  readonly #ends = new Map<string, () => void>();

  constructor(timers: Timers, changed: (peer: string, isTyping: boolean) => void) {
    this.#timers = timers;
    this.#changed = changed;
  }

  told(peer: string, state: string): void {
    this.#ends.get(peer)?.();
    this.#ends.delete(peer);
    const isTyping = state === 'composing';
    if (isTyping)
      this.#ends.set(
        peer,
        this.#timers.after(EXPIRE_MS, () => this.told(peer, 'paused')),
      );
    this.#changed(peer, isTyping);
  }

  close(): void {
    for (const cancel of this.#ends.values()) cancel();
    this.#ends.clear();
  }
}
