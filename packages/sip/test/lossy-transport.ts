import type { Clock } from '../src/clock/index.ts';
import type { SipMessage } from '../src/messages/index.ts';
import type { Flow, FlowFinder, Target, Transport } from '../src/transport/index.ts';

/** A shim around real transports: loses, repeats and delays the datagrams that are sent. Connections are left alone. */
export class LossyTransport implements Transport, FlowFinder {
  readonly #inner: Transport & FlowFinder;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #share: number;
  lost = 0;

  constructor(inner: Transport & FlowFinder, clock: Clock, random: () => number, share: number) {
    this.#inner = inner;
    this.#clock = clock;
    this.#random = random;
    this.#share = share;
  }

  async send(bytes: Uint8Array, flow: Flow): Promise<void> {
    if (flow.protocol !== 'udp') return this.#inner.send(bytes, flow);
    if (this.#random() < this.#share) {
      this.lost += 1;
      return;
    }
    const copies = this.#random() < this.#share ? 2 : 1;
    for (let i = 0; i < copies; i += 1) {
      if (this.#random() < this.#share)
        this.#clock.after(this.#random() * 30, () => void this.#inner.send(bytes, flow).catch(() => undefined));
      else await this.#inner.send(bytes, flow);
    }
  }

  onMessage(listener: (message: SipMessage, flow: Flow) => void): void {
    this.#inner.onMessage(listener);
  }

  flowTo(target: Target): Flow | undefined {
    return this.#inner.flowTo(target);
  }
}
