import type { SipRequest } from '../messages/index.ts';
import { isSession } from '../offer-answer/index.ts';
import type { Body } from '../offer-answer/index.ts';
import type { IncomingRequest, ResponseOptions } from './incoming-request.ts';

/** Who answers a change: the dialog. */
export interface ChangeUser {
  acceptChange(change: Change, body: Body | undefined): Promise<Body | undefined>;
  rejectChange(change: Change, status: number, options: ResponseOptions): void;
}

/**
 * The peer wants to change the session: a re-INVITE, an UPDATE, or an offer in a PRACK. It is to be accepted or rejected once.
 *
 * @example
 * call.on('change', (change) => void change.accept(sdp(answerTo(change.offer))));
 */
export class Change {
  readonly incoming: IncomingRequest;
  /** The peer's offer; undefined: the peer wants ours, and answers it in its ACK. */
  readonly offer: Body | undefined;
  readonly #user: ChangeUser;
  #isDone = false;

  constructor(incoming: IncomingRequest, user: ChangeUser) {
    this.incoming = incoming;
    const { body } = incoming;
    this.offer = isSession(body) ? body : undefined;
    this.#user = user;
  }

  get request(): SipRequest {
    return this.incoming.request;
  }

  get method(): string {
    return this.incoming.method;
  }

  /**
   * Accepts, with our answer, or with our offer where the peer brought none. Resolves when the peer has acknowledged, with its answer
   * where one was due; with undefined where the call ended before that.
   */
  accept(body?: Body): Promise<Body | undefined> {
    if (this.#isDone) return Promise.resolve(undefined);
    this.#isDone = true;
    return this.#user.acceptChange(this, body);
  }

  reject(status = 488, options: ResponseOptions = {}): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#user.rejectChange(this, status, options);
  }
}

/** The peer accepted our change. */
export interface ChangeAnswer {
  /** Its answer to our offer, or its offer where we brought none. */
  readonly body: Body | undefined;
  /** Where the peer offered: sends our answer, or the ACK alone, by which its offer has failed. Has to be called then. */
  readonly acknowledge: (answer: Body | undefined) => void;
}
