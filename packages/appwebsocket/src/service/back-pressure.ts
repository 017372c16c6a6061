import type { FlowGate } from '../client/flow-gate.ts';
import type { Carrier } from '../platform/carrier.ts';
import { MAX_SEND_BUFFER_BYTES } from '../wire/bounds.ts';
import { SLOW_PEER_MS } from './limits.ts';

/** A peer that does not read what he asked for is not asked what else he wants; after a time, or too much, he is closed. */
export class BackPressure {
  readonly #carrier: Pick<Carrier, 'bufferedBytes' | 'drained'>;
  readonly #gate: Pick<FlowGate<never>, 'hold' | 'release'>;
  readonly #tooSlow: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    carrier: Pick<Carrier, 'bufferedBytes' | 'drained'>,
    gate: Pick<FlowGate<never>, 'hold' | 'release'>,
    tooSlow: () => void,
  ) {
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
    this.#timer = setTimeout(this.#tooSlow, SLOW_PEER_MS);
    void this.#carrier.drained().then(() => this.end());
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#gate.release(this);
  }
}
