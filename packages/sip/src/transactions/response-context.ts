import type { Clock, Timer } from '../clock/index.ts';
import type { SipRequest, SipResponse } from '../messages/index.ts';
import type { Flow } from '../transport/port.ts';
import type { ClientTransaction, ClientTransactionUser } from './client-transaction.ts';
import { cancelFor } from './derived.ts';
import type { TransactionLayer } from './layer.ts';
import type { ServerTransaction } from './server-transaction.ts';

/**
 * RFC 3261 16.6 step 11: more than three minutes.
 * @peer CANCEL, then 408
 * @test response-context: timer C
 */
export const TIMER_C_MS = 181_000;

const IGNORED: ClientTransactionUser = { onResponse: () => undefined, onFailure: () => undefined };

interface Branch {
  readonly request: SipRequest;
  transaction?: ClientTransaction;
  timer?: Timer;
  isRinging: boolean;
  /** The CANCEL is sent. */
  isCancelled: boolean;
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
  readonly #challenges: SipResponse[] = [];

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
    if (this.#isOver) return this.fail(487);
    const branch: Branch = { request, isRinging: false, isCancelled: false, isDone: false };
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
    for (const branch of this.#branches) this.#cancel(branch);
  }

  /** RFC 3261 9.1: a phone that says nothing to its CANCEL for 64*T1 is given up. */
  #cancel(branch: Branch): void {
    const { transaction, request } = branch;
    if (branch.isDone || branch.isCancelled || !branch.isRinging || transaction?.isInvite !== true) return;
    branch.isCancelled = true;
    branch.timer?.cancel();
    branch.timer = this.#clock.after(64 * this.#layer.timers.t1, () => {
      transaction.drop();
      this.#finish(branch, this.#layer.reply(this.#request, 408));
    });
    this.#layer.request(cancelFor(request), transaction.flow, IGNORED);
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
    if (!branch.isCancelled) this.#watch(branch);
    if (this.#isOver) this.#cancel(branch);
  }

  /** Timer C: a phone that rings for three minutes is cancelled (RFC 3261 16.8). */
  #watch(branch: Branch): void {
    branch.timer?.cancel();
    if (branch.transaction?.isInvite === true) branch.timer = this.#clock.after(TIMER_C_MS, () => this.#cancel(branch));
  }

  #finish(branch: Branch, response: SipResponse): void {
    branch.timer?.cancel();
    if (branch.isDone) return;
    branch.isDone = true;
    this.#decide(response);
    if (response.status >= 600) this.cancel();
  }

  /** RFC 3261 16.7 step 6: the best of all; a 503 is our own affair. */
  #decide(response: SipResponse): void {
    if (response.status === 401 || response.status === 407) this.#challenges.push(response);
    if (this.#best === undefined || rankOf(response) < rankOf(this.#best)) this.#best = response;
    if ((this.#open -= 1) > 0 || this.#server.isAnswered) return;
    const best = this.#best;
    // Step 7: who is asked for credentials is asked for all of them at once.
    if (this.#challenges.includes(best))
      for (const other of this.#challenges) {
        if (other === best) continue;
        best.headers.copy(other.headers, 'WWW-Authenticate');
        best.headers.copy(other.headers, 'Proxy-Authenticate');
      }
    this.#server.respond(best.status === 503 ? this.#layer.reply(this.#request, 500) : best);
  }
}

/** What the caller can do something about: credentials, another type or extension, more digits. */
const REPAIRABLE: ReadonlySet<number> = new Set([401, 407, 415, 420, 484]);

/** RFC 3261 16.7 step 6: 6xx before all others, then the lowest class; in 4xx those first that tell how to do better. */
function rankOf({ status }: SipResponse): number {
  if (status >= 600) return 0;
  return REPAIRABLE.has(status) ? 399.5 : status;
}
