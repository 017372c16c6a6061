import { makeResponse } from '../messages/index.ts';
import type { NameAddr, SipRequest, SipResponse } from '../messages/index.ts';
import { bodyOf, describeBody } from '../offer-answer/index.ts';
import type { Body } from '../offer-answer/index.ts';
import type { ServerTransaction } from '../transactions/index.ts';
import type { Flow } from '../transport/index.ts';
import { addHeaders } from './ground.ts';
import type { ExtraHeaders } from './ground.ts';

export interface ResponseOptions {
  readonly reason?: string | undefined;
  readonly headers?: ExtraHeaders | undefined;
  readonly body?: Body | undefined;
  /**
   * The last hand on the response before it goes.
   * @example call.reject(digest.status, { edit: (response) => digest.challenge(response, verdict) });
   */
  readonly edit?: ((response: SipResponse) => unknown) | undefined;
}

const MAKES_DIALOG: ReadonlySet<string> = new Set(['INVITE', 'SUBSCRIBE', 'REFER']);

/** A response to `request`; `tag` goes into To where that has none. */
export function responseTo(
  request: SipRequest,
  status: number,
  tag: string,
  options: ResponseOptions = {},
): SipResponse {
  const { reason, headers, body, edit } = options;
  const response = makeResponse(request, status, reason, body?.content);
  if (status > 100 && request.headers.to?.tag === undefined)
    response.headers.set('To', `${request.headers.get('To') ?? ''};tag=${tag}`);
  // RFC 3261 12.1.1: what makes a dialog takes over the route.
  if (status > 100 && status < 300 && request.headers.to?.tag === undefined && MAKES_DIALOG.has(request.method))
    response.headers.copy(request.headers, 'Record-Route');
  addHeaders(response.headers, headers);
  describeBody(response.headers, body);
  edit?.(response);
  return response;
}

/** A request that came in and has to be answered once. */
export class IncomingRequest {
  readonly request: SipRequest;
  readonly transaction: ServerTransaction;
  readonly #tag: string;

  constructor(transaction: ServerTransaction, request: SipRequest, tag: string) {
    this.transaction = transaction;
    this.request = request;
    this.#tag = tag;
  }

  get method(): string {
    return this.request.method;
  }

  /** The flow that it came by. */
  get flow(): Flow {
    return this.transaction.flow;
  }

  get from(): NameAddr | undefined {
    return this.request.headers.from;
  }

  get body(): Body | undefined {
    return bodyOf(this.request);
  }

  /** Answers; false where it has been answered before. */
  respond(status: number, options: ResponseOptions = {}): boolean {
    return this.transaction.respond(responseTo(this.request, status, this.#tag, options));
  }
}
