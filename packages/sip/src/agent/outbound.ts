import type { DigestClient } from '../digest/index.ts';
import { makeRequest, SyntaxFailure, UnsafeValue } from '../messages/index.ts';
import type { SipRequest, SipResponse } from '../messages/index.ts';
import { cancelFor, Refusal, SipError } from '../transactions/index.ts';
import type {
  ClientTransaction,
  ClientTransactionUser,
  FailureCause,
  TransactionLayer,
} from '../transactions/index.ts';
import type { Flow } from '../transport/index.ts';
import type { Hop, Reach } from './reach.ts';

/** Who sent a request. */
export interface OutboundUser {
  onResponse(response: SipResponse, outbound: Outbound): void;
  /** Called before each try: what depends on the flow (Contact) is put on here. */
  onSend?(request: SipRequest, flow: Flow): void;
  /** No final response will come. */
  onFailure(error: SipError): void;
  onEnd?(): void;
}

export interface OutboundGround {
  readonly layer: TransactionLayer;
  readonly reach: Reach;
}

export interface OutboundOptions {
  readonly request: SipRequest;
  readonly hop: Hop;
  readonly digest?: DigestClient | undefined;
  /** The CSeq number of the next try after a challenge; by default one more. */
  readonly nextSeq?: (() => number) | undefined;
  readonly user: OutboundUser;
}

/**
 * Challenges that one request answers: a proxy's and the target's, each perhaps once more for a stale nonce.
 * @peer its challenge is the answer
 * @test crossings: a peer that challenges without end
 */
const MAX_CHALLENGES = 4;

/**
 * One request on its way, as its sender sees it: it finds the next hop, fails over (RFC 3263 4.3), leaves UDP when it is too large,
 * and answers challenges. Each try is a transaction of its own.
 */
export class Outbound {
  readonly #ground: OutboundGround;
  readonly #options: OutboundOptions;
  #request: SipRequest;
  #flows: readonly Flow[] = [];
  #next = 0;
  #attempt: Attempt | undefined;
  #challenges = 0;
  #isFinal = false;
  #isOver = false;

  constructor(ground: OutboundGround, options: OutboundOptions) {
    this.#ground = ground;
    this.#options = options;
    this.#request = options.request;
  }

  /** The request as it was sent last, with its Via. */
  get request(): SipRequest {
    return this.#request;
  }

  /** The flow of the last try. */
  get flow(): Flow | undefined {
    return this.#attempt?.transaction?.flow ?? this.#flows[this.#next - 1];
  }

  /** Never throws: what fails is told to the user, in a microtask. */
  start(): this {
    try {
      const flows = this.#ground.reach.flows(this.#options.hop);
      if ('then' in flows) flows.then((found) => this.#begin(found)).catch((error: unknown) => this.#fail(error));
      else this.#begin(flows);
    } catch (error) {
      if (!(error instanceof SipError || error instanceof UnsafeValue)) throw error;
      queueMicrotask(() => this.#fail(error));
    }
    return this;
  }

  /** Sends the CANCEL (RFC 3261 9.1); only after a provisional response. */
  cancel(): void {
    const attempt = this.#attempt?.transaction;
    if (attempt === undefined || this.#isOver) return;
    this.#ground.layer.request(cancelFor(this.#request), attempt.flow, IGNORED);
  }

  /** This try is the last: nobody wants the answer any more. Challenges stay unanswered, other servers unasked. */
  tryNoMore(): void {
    this.#isFinal = true;
  }

  /** Sends the request once more with the next CSeq number, changed as the answer demands (422). */
  resend(change: (request: SipRequest) => void): void {
    const flow = this.flow;
    if (flow === undefined || this.#isOver || this.#isFinal) return;
    const { nextSeq } = this.#options;
    this.#again(nextSeq?.() ?? (this.#request.headers.cseq?.seq ?? 0) + 1);
    change(this.#request);
    this.#send(flow, true);
  }

  /** Forgets the request without a word to anybody. */
  drop(): void {
    this.#isOver = true;
    this.#attempt?.transaction?.drop();
  }

  #begin(flows: readonly Flow[]): void {
    if (this.#isOver) return;
    if (this.#isFinal) throw new SipError('closed', 'given up before it was sent');
    this.#flows = flows;
    if (this.#options.digest !== undefined) this.#options.digest.prepare(this.#request);
    this.#try(true);
  }

  #try(isSwitched: boolean): void {
    const flow = this.#flows[this.#next];
    if (flow === undefined) throw new SipError('unreachable', 'no target is left');
    this.#next += 1;
    this.#send(flow, isSwitched);
  }

  #send(flow: Flow, isSwitched: boolean): void {
    const attempt = new Attempt(this);
    this.#attempt = attempt;
    this.#options.user.onSend?.(this.#request, flow);
    attempt.transaction = this.#ground.layer.request(this.#request, flow, attempt, isSwitched);
  }

  onResponse(attempt: Attempt, response: SipResponse): void {
    if (attempt !== this.#attempt || this.#isOver) return;
    try {
      if ((response.status === 401 || response.status === 407) && this.#answer(response)) return;
      // RFC 3261 8.1.3.1, RFC 3263 4.3: a 503 sends the request to the next server.
      if (response.status === 503 && this.#hasMore) return this.#retry(true);
      this.#options.user.onResponse(response, this);
    } catch (error) {
      const failure = failureBy(error);
      // RFC 3261 8.1.3: what can't be read, or held, of a provisional response is dropped; the final one is still to come.
      if (response.status < 200) return;
      this.#isOver = true;
      this.#options.user.onFailure(failure);
    }
  }

  get #hasMore(): boolean {
    return !this.#isFinal && this.#next < this.#flows.length;
  }

  onFailure(attempt: Attempt, cause: FailureCause, error: unknown): void {
    if (attempt !== this.#attempt || this.#isOver) return;
    const tried = this.#flows[this.#next - 1];
    // RFC 3261 18.1.1: the peer may know no TCP; then the large request goes by UDP.
    const isSwitched = tried?.protocol === 'udp' && attempt.transaction?.flow.protocol === 'tcp';
    if (cause === 'transport' && isSwitched && !this.#isFinal) {
      this.#next -= 1;
      return this.#retry(false);
    }
    if (this.#hasMore) return this.#retry(true);
    this.#isOver = true;
    const code = cause === 'timeout' ? 'timeout' : 'unreachable';
    this.#options.user.onFailure(new SipError(code, `${this.#request.method}: no answer`, error));
  }

  onEnd(attempt: Attempt): void {
    if (attempt === this.#attempt) this.#options.user.onEnd?.();
  }

  #retry(isSwitched: boolean): void {
    this.#again(this.#request.headers.cseq?.seq ?? 0);
    try {
      this.#try(isSwitched);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** A copy of the request without our Via. */
  #again(seq: number): void {
    const { method, uri, body, headers: old } = this.#request;
    const headers = old.clone();
    headers.shift('Via');
    if (seq !== old.cseq?.seq) headers.set('CSeq', `${seq} ${method}`);
    this.#request = makeRequest({ method, uri, headers, body });
  }

  #answer(response: SipResponse): boolean {
    const { digest, nextSeq } = this.#options;
    if (digest === undefined || this.#isFinal || (this.#challenges += 1) > MAX_CHALLENGES) return false;
    const refused = this.#request;
    const seq = refused.headers.cseq?.seq ?? 0;
    const { flow } = this.#attempt?.transaction ?? {};
    this.#again(seq);
    if (flow === undefined || digest.answer(this.#request, response) !== 'answered') {
      this.#request = refused;
      return false;
    }
    this.#request.headers.set('CSeq', `${nextSeq?.() ?? seq + 1} ${refused.method}`);
    this.#send(flow, true);
    return true;
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (error instanceof SipError) return this.#options.user.onFailure(error);
    if (!(error instanceof UnsafeValue)) throw error;
    this.#options.user.onFailure(new SipError('bad-message', error.message, error));
  }
}

/** What a response led to: its own fault, or our lack of room. Throws what is neither: a fault of the application. */
function failureBy(error: unknown): SipError {
  if (error instanceof SyntaxFailure)
    return new SipError('bad-message', `the response is broken: ${error.message}`, error);
  const isFull =
    error instanceof SipError && (error.code === 'too-many-transactions' || error.code === 'too-many-dialogs');
  if (isFull) return error;
  throw error;
}

/** One try: what comes from a try that is over is told apart from the current one's. */
class Attempt implements ClientTransactionUser {
  transaction: ClientTransaction | undefined;
  readonly #owner: Outbound;

  constructor(owner: Outbound) {
    this.#owner = owner;
  }

  onResponse(response: SipResponse): void {
    this.#owner.onResponse(this, response);
  }

  onFailure(cause: FailureCause, error: unknown): void {
    this.#owner.onFailure(this, cause, error);
  }

  onEnd(): void {
    this.#owner.onEnd(this);
  }
}

/** For requests whose answer changes nothing: a CANCEL. */
const IGNORED: ClientTransactionUser = { onResponse: () => undefined, onFailure: () => undefined };

/** Sends a request and waits for its final response; 300 and above throw `Refusal`. */
export function askOnce(
  ground: OutboundGround,
  options: Omit<OutboundOptions, 'user'>,
  signal?: AbortSignal,
): Promise<SipResponse> {
  return new Promise((resolve, reject) => {
    const stop = (): void => signal?.removeEventListener('abort', abort);
    const outbound = new Outbound(ground, {
      ...options,
      user: {
        onResponse(response) {
          if (response.status < 200) return;
          stop();
          if (response.status < 300) resolve(response);
          else reject(new Refusal(response));
        },
        onFailure(error) {
          stop();
          reject(error);
        },
      },
    });
    const abort = (): void => {
      outbound.drop();
      reject(signal?.reason instanceof Error ? signal.reason : new SipError('closed', 'aborted'));
    };
    if (signal?.aborted === true) return abort();
    signal?.addEventListener('abort', abort, { once: true });
    outbound.start();
  });
}
