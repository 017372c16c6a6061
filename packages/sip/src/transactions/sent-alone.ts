import type { Flow, Transport } from '../transport/port.ts';

/** A request without a transaction, kept to be repeated: the ACK to a 2xx (RFC 3261 13.2.2.4). */
export class SentAlone {
  readonly #transport: Transport;
  readonly #bytes: Uint8Array;
  readonly #flow: Flow;

  constructor(transport: Transport, bytes: Uint8Array, flow: Flow) {
    this.#transport = transport;
    this.#bytes = bytes;
    this.#flow = flow;
  }

  repeat(): void {
    this.#transport.send(this.#bytes, this.#flow).catch(() => {
      // Nobody answers an ACK: where it can't be sent the peer repeats its 2xx, and gives up in the end.
    });
  }
}
