import type { CallId } from '../../../core/journal/index.ts';
import { Problem } from '../../../kit/index.ts';
import { type Client, sendToOwn } from '../client.ts';
import { type Frame, SharedMessage } from '../stomp/index.ts';
import { callBody, holdBody, jsonOf, parseBody, transferBody } from './bodies.ts';
import { CALL, CALL_REPLY, LISTEN, LISTEN_REPLY } from './destinations.ts';
import { badRequest } from './errors.ts';
import type { Telephone, TelephoneParts } from './telephone.ts';
import type { Topics } from './topics.ts';

/**
 * What a number text is cut to before it is sent back (TM AP-21).
 * @peer cut
 * @test tapi-messenger/limits: a number that is no number
 */
const MAX_ECHO = 64;

/** Answers of `/tapi/call` by the problem's code (TM AP-21). */
const CALL_FAILURES: Readonly<Record<string, string>> = {
  'no-number': 'NO NUMBER FOR THIS SESSION',
  forbidden: 'NO NUMBER FOR THIS SESSION',
  'invalid-number': 'INVALID NUMBER',
  'engine-unavailable': 'TAPI SERVER UNAVAILABLE',
  'outcome-unknown': 'TAPI SERVER UNAVAILABLE',
  'too-many-requests': 'TOO MANY REQUESTS',
  'call-refused': 'REFUSED',
  'idempotency-conflict': 'IDEMPOTENCY CONFLICT',
};

export interface PhoneRequestParts extends TelephoneParts {
  readonly topics: Topics;
}

/** The requests below `/tapi` that have to do with the session's telephone (TM §4.2 to §4.6, design §6). */
export class PhoneRequests {
  readonly #parts: PhoneRequestParts;
  readonly #client: Client;
  readonly #telephone: Telephone;
  #dialledAt = -Infinity;

  constructor(parts: PhoneRequestParts, client: Client, telephone: Telephone) {
    this.#parts = parts;
    this.#client = client;
    this.#telephone = telephone;
  }

  /** TM AP-11: the reply follows the registration, whether it could be made or not. */
  async listen(frame: Frame): Promise<void> {
    try {
      const number = await this.#telephone.listen(frame.headers.get('apex_session'));
      this.#reply(LISTEN_REPLY, `LISTENING STARTED for number: ${number}`);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (this.#client.signal.aborted) return;
      this.#reply(LISTEN_REPLY, 'FAILED TO FIND NUMBER FOR THIS SESSION');
      this.#client.report({ code: 'listen-failed', message: error.message, destination: LISTEN });
    }
  }

  /** TM AP-20 to AP-23. */
  async call(frame: Frame): Promise<void> {
    const number = numberIn(jsonOf(frame));
    const shown = echo(number ?? '');
    try {
      await this.#dial(number, frame.headers.get('idempotency-key') ?? null);
      this.#reply(CALL_REPLY, `CALLING NUMBER ${shown}`);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const reason = CALL_FAILURES[error.code] ?? 'FAILED';
      this.#reply(CALL_REPLY, `FAILED TO CALL NUMBER ${shown}: ${reason}`);
      this.#client.report({ code: 'call-failed', message: error.message, destination: CALL });
    }
  }

  async answer(frame: Frame): Promise<void> {
    const { callId } = parseBody(callBody, frame);
    await this.#parts.calls.answer(this.#telephone.actor, command(callId, frame));
  }

  async hangup(frame: Frame): Promise<void> {
    const { callId } = parseBody(callBody, frame);
    await this.#parts.calls.hangup(this.#telephone.actor, command(callId, frame));
  }

  async hold(frame: Frame): Promise<void> {
    const { callId, on = true } = parseBody(holdBody, frame);
    await this.#parts.calls.hold(this.#telephone.actor, { ...command(callId, frame), on });
  }

  async transfer(frame: Frame): Promise<void> {
    const { callId, toNumber, toCallId } = parseBody(transferBody, frame);
    if ((toNumber === undefined) === (toCallId === undefined))
      throw badRequest('A transfer names either toNumber or toCallId.');
    const to = toCallId === undefined ? { number: toNumber ?? '' } : { call: toCallId as CallId };
    await this.#parts.calls.transfer(this.#telephone.actor, { ...command(callId, frame), to });
  }

  async #dial(to: string | null, idempotencyKey: string | null): Promise<void> {
    const from = this.#telephone.number ?? this.#client.user?.number ?? null;
    if (from === null) throw new Problem('no-number', 'This session listens to no number.');
    if (to === null) throw new Problem('invalid-number', 'This is no telephone number.');
    const { calls, clock, settings } = this.#parts;
    const waitMs = this.#dialledAt + settings.dial.minIntervalMs - clock.now();
    if (waitMs > 0)
      throw new Problem('too-many-requests', 'Too many calls in a short time.', { retry: true, retryAfterMs: waitMs });
    await calls.dial(this.#telephone.actor, { from, to, idempotencyKey });
    this.#dialledAt = clock.now();
  }

  /** `replies.scope`: to the asking session, or, as the original, to everybody who subscribes. */
  #reply(topic: string, text: string): void {
    const message = SharedMessage.text(text);
    if (this.#parts.settings.replies.scope === 'topic') this.#parts.topics.publish(topic, message);
    else sendToOwn(this.#client, topic, message);
  }
}

function command(callId: string, frame: Frame): { readonly call: CallId; readonly idempotencyKey: string | null } {
  return { call: callId as CallId, idempotencyKey: frame.headers.get('idempotency-key') ?? null };
}

/** TM AP-22: a text, or a whole number; `toNumer` is the seed document's own spelling. Null: neither. */
function numberIn(body: unknown): string | null {
  if (typeof body !== 'object' || body === null) return null;
  const value: unknown = 'toNumber' in body ? body.toNumber : 'toNumer' in body ? body.toNumer : null;
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? String(value) : null;
  return typeof value === 'string' ? value : null;
}

function echo(text: string): string {
  return text
    .slice(0, MAX_ECHO)
    .toWellFormed()
    .replace(/[\u0000-\u001f\u007f-\u009f]/g, '?');
}
