import { type EncodedFrame, encodeText } from '../../../../http/index.ts';

/**
 * A `sig` that goes out on many calls: its JSON is made once, and the whole frame once for all calls in a row whose message
 * begins alike.
 */
export class SharedSig {
  readonly #json: string;
  #head = '';
  #frame: EncodedFrame | null = null;

  constructor(sig: object) {
    this.#json = JSON.stringify(sig);
  }

  /** @param head the message up to the value of `sig` */
  frame(head: string): EncodedFrame {
    if (this.#frame !== null && this.#head === head) return this.#frame;
    this.#head = head;
    return (this.#frame = encodeText(`${head}${this.#json}}`));
  }
}
