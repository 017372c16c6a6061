import { Requester } from '../../src/session/requester.ts';
import type { JsonObject } from '../../src/wire/envelope.ts';
import { parseEnvelope } from '../../src/wire/envelope.ts';
import { AppWebsocketError } from '../../src/wire/errors.ts';

/** A requester without a connection: what it sends is kept, answers are given by hand. */
export class RequesterBench {
  readonly sent: JsonObject[] = [];
  isConnected = true;
  readonly requester = new Requester((text) => {
    if (!this.isConnected) throw new AppWebsocketError('not-connected');
    this.sent.push(JSON.parse(text) as JsonObject);
  });

  /** `src` of the n-th message that was sent; -1: of the last. */
  src(n = -1): unknown {
    return this.sent.at(n)?.['src'];
  }

  /** Gives a message as if it had been received; true if it was taken. */
  receive(message: JsonObject): boolean {
    const text = JSON.stringify(message);
    return this.requester.take(parseEnvelope(text)!, text.length);
  }

  /** Gives a message under the `src` of the last request. */
  answer(message: JsonObject, n = -1): boolean {
    return this.receive({ src: this.src(n), ...message });
  }
}
