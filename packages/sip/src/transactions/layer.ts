import type { Clock } from '../clock/index.ts';
import type { Ids } from '../ids/index.ts';
import {
  makeResponse,
  Params,
  Via,
  writeMessage,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from '../messages/index.ts';
import { MAX_DATAGRAM_REQUEST } from '../transport/limits.ts';
import type { Flow, Transport } from '../transport/port.ts';
import { ClientTransaction, type ClientTransactionUser } from './client-transaction.ts';
import { SipError } from './errors.ts';
import type { TransactionGround } from './ground.ts';
import { clientKey, keyOfResponse, MAGIC_COOKIE, serverKey } from './keys.ts';
import { DEFAULT_TIMERS, type TimerValues } from './machine.ts';
import { responseFlow } from './response-flow.ts';
import { SentAlone } from './sent-alone.ts';
import { ServerTransaction } from './server-transaction.ts';

/**
 * At most this many transactions at a time. A call leaves about three behind for 32 s, so a thousand calls a second through a
 * back-to-back agent hold 100,000; beyond twice that we are being flooded, and new requests get a stateless 503.
 * @peer 503
 * @test layer: over the bound a request
 */
export const MAX_TRANSACTIONS = 200_000;

/** The seconds in Retry-After of that 503. */
const RETRY_AFTER_S = 10;

/** Who uses the layer: a user agent core or a proxy core. */
export interface TransactionUser {
  /** A new request (never an ACK). Answer through `transaction.respond`. */
  onRequest(transaction: ServerTransaction, request: SipRequest): void;
  /** An ACK that belongs to no transaction: that of a 2xx (RFC 3261 13.3.1.4). */
  onAck(ack: SipRequest, flow: Flow): void;
  /** A response that belongs to no transaction: a proxy forwards a 2xx, a user agent drops it. */
  onStrayResponse?(response: SipResponse, flow: Flow): void;
}

export interface TransactionLayerOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly timers?: TimerValues | undefined;
  readonly maxTransactions?: number | undefined;
  /** The flow with congestion control that a request of over 1,300 bytes takes instead of this UDP flow (RFC 3261 18.1.1). */
  readonly flowForLarge?: ((flow: Flow) => Flow | undefined) | undefined;
  readonly user: TransactionUser;
}

export class TransactionLayer implements TransactionGround {
  readonly clock: Clock;
  readonly timers: TimerValues;
  readonly transport: Transport;
  readonly #ids: Ids;
  readonly #user: TransactionUser;
  readonly #max: number;
  readonly #flowForLarge: ((flow: Flow) => Flow | undefined) | undefined;
  readonly #clients = new Map<string, ClientTransaction>();
  readonly #servers = new Map<string, ServerTransaction>();
  #isClosed = false;
  #refused = 0;

  constructor(options: TransactionLayerOptions) {
    this.clock = options.clock;
    this.timers = options.timers ?? DEFAULT_TIMERS;
    this.transport = options.transport;
    this.#ids = options.ids;
    this.#user = options.user;
    this.#max = options.maxTransactions ?? MAX_TRANSACTIONS;
    this.#flowForLarge = options.flowForLarge;
    this.transport.onMessage((message, flow) => this.#receive(message, flow));
  }

  get counts(): { readonly clients: number; readonly servers: number; readonly refused: number } {
    return { clients: this.#clients.size, servers: this.#servers.size, refused: this.#refused };
  }

  /**
   * Sends a request. It becomes the layer's: its topmost Via is put on here. A CANCEL goes with the branch of its INVITE, which it has
   * as its Via already. Over 1,300 bytes it leaves UDP (RFC 3261 18.1.1), unless `isSwitched` is false: for the second try by UDP, where
   * the peer knows no TCP. Throws `too-many-transactions` and `closed`.
   */
  request(request: SipRequest, flow: Flow, user: ClientTransactionUser, isSwitched = true): ClientTransaction {
    if (this.#isClosed) throw new SipError('closed', 'the transaction layer is closed');
    const isCancel = request.method === 'CANCEL';
    // A CANCEL makes room in the end, and there is one for each INVITE at most.
    if (this.#isFull && !isCancel)
      throw new SipError('too-many-transactions', `${this.#max} transactions are under way`);
    if (!isCancel) this.stamp(request, flow);
    let way = flow;
    let bytes: Uint8Array = writeMessage(request);
    const larger = isCancel || !isSwitched ? undefined : this.#wayForLarge(bytes, flow);
    if (larger !== undefined) {
      way = larger;
      bytes = this.#restamp(request, larger);
    }
    const key = clientKey(request.headers.via?.branch ?? '', request.method);
    const transaction = new ClientTransaction(this, key, request, way, user);
    this.#clients.set(key, transaction);
    transaction.begin(bytes);
    return transaction;
  }

  /** Sends a request outside any transaction: the ACK to a 2xx. It may be sent again as it is. */
  sendAlone(request: SipRequest, flow: Flow): SentAlone {
    this.stamp(request, flow);
    const bytes = writeMessage(request);
    const larger = this.#wayForLarge(bytes, flow);
    const sent =
      larger === undefined
        ? new SentAlone(this.transport, bytes, flow)
        : new SentAlone(this.transport, this.#restamp(request, larger), larger);
    if (!this.#isClosed) sent.repeat();
    return sent;
  }

  #wayForLarge(bytes: Uint8Array, flow: Flow): Flow | undefined {
    return bytes.length > MAX_DATAGRAM_REQUEST && flow.protocol === 'udp' ? this.#flowForLarge?.(flow) : undefined;
  }

  #restamp(request: SipRequest, flow: Flow): Uint8Array {
    request.headers.shift('Via');
    this.stamp(request, flow);
    return writeMessage(request);
  }

  /** Puts our Via with a new branch on top; for requests that are sent outside a transaction (ACK to a 2xx). Returns the branch. */
  stamp(request: SipRequest, flow: Flow): string {
    const branch = MAGIC_COOKIE + this.#ids.next();
    // RFC 3581: we always ask to be answered where we sent from. A WebSocket client has no port to name (RFC 7118 5).
    const params =
      flow.protocol === 'udp' ? new Params(['branch', branch, 'rport', undefined]) : new Params(['branch', branch]);
    const { address: host, port } = flow.local;
    request.headers.prepend('Via', Via.of({ transport: flow.protocol.toUpperCase(), host, port, params }));
    return branch;
  }

  /** The INVITE that a CANCEL is about (RFC 3261 9.2), unless it is unknown. */
  findInvite(cancel: SipRequest): ServerTransaction | undefined {
    return this.#servers.get(serverKey(cancel, 'INVITE'));
  }

  /** A response of our own, with a To tag where that is due (RFC 3261 8.2.6.2). */
  reply(request: SipRequest, status: number, reason?: string): SipResponse {
    const response = makeResponse(request, status, reason);
    // Not by the parsed To: that one may be what is broken.
    const to = response.headers.get('To');
    if (status > 100 && to !== undefined && !/;\s*tag\s*=/i.test(to))
      response.headers.set('To', `${to};tag=${this.#ids.next()}`);
    return response;
  }

  /** Drops every transaction. Nothing is sent and nothing received from here on. */
  close(): void {
    this.#isClosed = true;
    for (const client of this.#clients.values()) client.drop();
    for (const server of this.#servers.values()) server.drop();
  }

  onRequest(transaction: ServerTransaction, request: SipRequest): void {
    this.#user.onRequest(transaction, request);
  }

  forgetClient(transaction: ClientTransaction): void {
    this.#clients.delete(transaction.key);
  }

  forgetServer(transaction: ServerTransaction): void {
    this.#servers.delete(transaction.key);
  }

  get #isFull(): boolean {
    return this.#clients.size + this.#servers.size >= this.#max;
  }

  #receive(message: SipMessage, flow: Flow): void {
    if (this.#isClosed) return;
    if (message.kind === 'request') return this.#receiveRequest(message, flow);
    const client = this.#clients.get(keyOfResponse(message));
    if (client) client.receive(message);
    else this.#user.onStrayResponse?.(message, flow);
  }

  #receiveRequest(request: SipRequest, flow: Flow): void {
    const isAck = request.method === 'ACK';
    const key = serverKey(request, isAck ? 'INVITE' : request.method);
    const known = this.#servers.get(key);
    if (known) return known.receive(request);
    if (isAck) return this.#user.onAck(request, flow);
    if (this.#isFull) return this.#refuse(request, flow);
    const transaction = new ServerTransaction(this, key, request, flow);
    this.#servers.set(key, transaction);
    transaction.begin();
  }

  /** RFC 3261 8.2.7 and 21.5.4: an answer without a transaction, the same for each repetition. */
  #refuse(request: SipRequest, flow: Flow): void {
    this.#refused += 1;
    const response = makeResponse(request, 503);
    const to = response.headers.to;
    if (to && to.tag === undefined) response.headers.set('To', to.withParam('tag', 'overload'));
    response.headers.set('Retry-After', RETRY_AFTER_S);
    this.transport.send(writeMessage(response), responseFlow(request, flow)).catch(() => {
      // The sender is as good as gone; it will repeat its request or not.
    });
  }
}
