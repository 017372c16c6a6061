import type { FlowGate } from '../client/flow-gate.ts';
import type { Carrier } from '../platform/carrier.ts';
import { DRAINED_BYTES, MAX_SEND_BUFFER_BYTES } from '../wire/bounds.ts';
import { SLOW_PEER_MS } from './limits.ts';

/** What is asked of the socket. `takenBytes`: what it has taken of all that was ever sent. */
type Outlet = Pick<Carrier, 'bufferedBytes' | 'drained'> & { readonly takenBytes: number };

/** A peer that does not read what he asked for is not asked what else he wants; after a time, or too much, he is closed. */
export class BackPressure {
  readonly #carrier: Outlet;
  readonly #gate: Pick<FlowGate<never>, 'hold' | 'release'>;
  readonly #tooSlow: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(carrier: Outlet, gate: Pick<FlowGate<never>, 'hold' | 'release'>, tooSlow: () => void) {
    this.#carrier = carrier;
    this.#gate = gate;
    this.#tooSlow = tooSlow;
  }

  /** More than `DRAINED_BYTES` wait in the carrier. */
  check(): void {
    const { bufferedBytes } = this.#carrier;
    if (bufferedBytes > MAX_SEND_BUFFER_BYTES) return this.#tooSlow();
    if (this.#timer !== undefined) return;
    this.#gate.hold(this);
    this.#watch();
    void this.#carrier.drained().then(() => this.end());
  }

  /** One who reads slowly, but reads, is left alone. */
  #watch(): void {
    const before = this.#carrier.takenBytes;
    this.#timer = setTimeout(() => {
      if (this.#carrier.takenBytes - before < DRAINED_BYTES) this.#tooSlow();
      else this.#watch();
    }, SLOW_PEER_MS);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#gate.release(this);
  }
}
