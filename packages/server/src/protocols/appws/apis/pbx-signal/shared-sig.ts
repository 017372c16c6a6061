import { type Envelope, followText } from '@tieline/appwebsocket';
import { type EncodedFrame, encodeText } from '../../../../http/index.ts';

/** A `sig` that goes out on many calls: its JSON is made once, and the whole frame once for all calls in a row that are alike. */
export class SharedSig {
  readonly #json: string;
  #signaling = '';
  #call = 0;
  #frame: EncodedFrame | null = null;

  constructor(sig: object) {
    this.#json = JSON.stringify(sig);
  }

  /** @param signaling how every message of the registration begins */
  frame(signaling: string, call: number): EncodedFrame {
    if (this.#frame !== null && this.#call === call && this.#signaling === signaling) return this.#frame;
    this.#signaling = signaling;
    this.#call = call;
    return (this.#frame = encodeText(`${headOf(signaling, call)}${this.#json}}`));
  }
}

/** How the messages of registrations begin: those that begin alike share one text, so that comparing them is cheap. */
export class Signalings {
  #last = '';

  of(request: Envelope): string {
    const signaling = followText(request, 'Signaling').slice(0, -1);
    if (this.#last !== signaling) this.#last = signaling;
    return this.#last;
  }
}

/** A message up to the value of `sig`. */
export function headOf(signaling: string, call: number): string {
  return `${signaling},"call":${call},"sig":`;
}
