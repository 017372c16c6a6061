import type { Clock, Timer } from '../clock/index.ts';
import type { SipRequest, SipResponse } from '../messages/index.ts';
import type { Flow } from '../transport/port.ts';
import type { ClientTransaction, ClientTransactionUser } from './client-transaction.ts';
import { cancelFor } from './derived.ts';
import type { TransactionLayer } from './layer.ts';
import type { ServerTransaction } from './server-transaction.ts';

/** RFC 3261 16.6 step 11: more than three minutes. */
export const TIMER_C_MS = 181_000;

const IGNORED: ClientTransactionUser = { onResponse: () => undefined, onFailure: () => undefined };

interface Branch {
  readonly request: SipRequest;
  transaction?: ClientTransaction;
  timer?: Timer;
  isRinging: boolean;
  isUnwanted: boolean;
  isDone: boolean;
}

/**
 * One request of a proxy on its way to `open` targets: passes on what comes back, cancels the losers, and answers with the best when all
 * have failed (RFC 3261 16.7 to 16.10).
 */
export class ResponseContext {
  readonly #layer: TransactionLayer;
  readonly #clock: Clock;
  readonly #server: ServerTransaction;
  readonly #request: SipRequest;
  readonly #branches: Branch[] = [];
  #open: number;
  #isOver = false;
  #best: SipResponse | undefined;

  constructor(
    proxy: { readonly layer: TransactionLayer; readonly clock: Clock },
    server: ServerTransaction,
    request: SipRequest,
    open: number,
  ) {
    this.#layer = proxy.layer;
    this.#clock = proxy.clock;
    this.#server = server;
    this.#request = request;
    this.#open = open;
  }

  send(request: SipRequest, flow: Flow): void {
    const branch: Branch = { request, isRinging: false, isUnwanted: this.#isOver, isDone: false };
    this.#branches.push(branch);
    branch.transaction = this.#layer.request(request, flow, {
      onResponse: (response) => this.#hear(branch, response),
      onFailure: (cause) => this.#finish(branch, this.#layer.reply(this.#request, cause === 'timeout' ? 408 : 503)),
    });
    this.#watch(branch);
  }

  /** A target that can't be reached counts as one that refused. */
  fail(status: number): void {
    this.#decide(this.#layer.reply(this.#request, status));
  }

  /** RFC 3261 16.10, 9.1: each INVITE that rings is cancelled, the others as soon as they do. */
  cancel(): void {
    this.#isOver = true;
    for (const branch of this.#branches) {
      const { transaction, request, isRinging, isDone, isUnwanted } = branch;
      if (isDone || transaction?.isInvite !== true) continue;
      if (isRinging && !isUnwanted) this.#layer.request(cancelFor(request), transaction.flow, IGNORED);
      branch.isUnwanted = isRinging;
    }
  }

  #hear(branch: Branch, response: SipResponse): void {
    response.headers.shift('Via');
    if (response.status >= 300) return this.#finish(branch, response);
    if (response.status >= 200) {
      branch.isDone = true;
      branch.timer?.cancel();
      this.#server.respond(response);
      return this.cancel();
    }
    branch.isRinging = true;
    if (response.status > 100 && !this.#server.isAnswered) this.#server.respond(response);
    this.#watch(branch);
    if (this.#isOver) this.cancel();
  }

  /** Timer C: a phone that rings for three minutes is cancelled. */
  #watch(branch: Branch): void {
    branch.timer?.cancel();
    if (branch.transaction?.isInvite === true) branch.timer = this.#clock.after(TIMER_C_MS, () => this.cancel());
  }

  #finish(branch: Branch, response: SipResponse): void {
    branch.timer?.cancel();
    if (branch.isDone) return;
    branch.isDone = true;
    this.#decide(response);
    if (response.status >= 600) this.cancel();
  }

  /** RFC 3261 16.7 step 6: 6xx before all others, then the lowest class; a 503 is our own affair. */
  #decide(response: SipResponse): void {
    const rank = ({ status }: SipResponse): number => (status >= 600 ? 0 : status);
    if (this.#best === undefined || rank(response) < rank(this.#best)) this.#best = response;
    if ((this.#open -= 1) > 0 || this.#server.isAnswered) return;
    const isOurs = this.#best.status === 503;
    this.#server.respond(isOurs ? this.#layer.reply(this.#request, 500) : this.#best);
  }
}
