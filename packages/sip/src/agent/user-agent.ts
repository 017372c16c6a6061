import { systemClock, TimerWheel } from '../clock/index.ts';
import type { Clock } from '../clock/index.ts';
import { DigestClient } from '../digest/index.ts';
import type { DigestCredentials } from '../digest/index.ts';
import { DialogTable, dialogId, dialogIdOfRequest, LOWEST_MIN_SE } from '../dialogs/index.ts';
import type { SessionTimerPolicy } from '../dialogs/index.ts';
import { randomIds } from '../ids/index.ts';
import type { Ids } from '../ids/index.ts';
import { parseValueWithParams } from '../messages/index.ts';
import type { SipRequest, SipResponse, Uri } from '../messages/index.ts';
import { Call } from './call.ts';
import { InviteDialog } from './invite-dialog.ts';
import { Registration } from '../registration/registration.ts';
import type { KeepAlivePlan } from '../registration/registration.ts';
import type { BackoffPolicy } from '../registration/machine.ts';
import { SipError, TransactionLayer } from '../transactions/index.ts';
import type { ServerTransaction, TimerValues, TransactionUser } from '../transactions/index.ts';
import type { FlowFinder, Flow, Transport } from '../transport/index.ts';
import { compose } from './compose.ts';
import type { Addressee, Composed, OutgoingOptions } from './compose.ts';
import { Emitter } from './emitter.ts';
import type { AgentGround, AgentSettings, DialogUser } from './ground.ts';
import { Intake } from './intake.ts';
import type { AgentEvents } from './intake.ts';
import { OutgoingCall } from './outgoing-call.ts';
import { askOnce } from './outbound.ts';
import { Reach } from './reach.ts';
import type { Resolve } from './reach.ts';
import { Subscription } from './subscription.ts';

export interface UserAgentOptions {
  /** Opened by the caller, and closed by it after the agent. */
  readonly transports: Transport & FlowFinder;
  /** Who we are where nothing else is said: the From of our requests. */
  readonly identity?: string | undefined;
  /** Finds hosts (RFC 3263). Without it only URIs with addresses can be reached. */
  readonly resolve?: Resolve | undefined;
  /** Answers challenges in every realm; or a client that decides by realm. */
  readonly credentials?: DigestCredentials | DigestClient | undefined;
  /** User part of our Contact. */
  readonly contactUser?: string | undefined;
  /** For User-Agent. */
  readonly product?: string | undefined;
  /** RFC 4028; by default half an hour. `expires: 0` asks for none. */
  readonly sessionTimer?: Partial<SessionTimerPolicy> | undefined;
  /** RFC 3262; by default used where the peer knows it. */
  readonly reliableProvisionals?: 'off' | 'supported' | undefined;
  /** More option tags that may stand in Require: what the application takes care of itself. */
  readonly options?: readonly string[] | undefined;
  readonly clock?: Clock | undefined;
  readonly ids?: Ids | undefined;
  readonly random?: (() => number) | undefined;
  readonly timers?: TimerValues | undefined;
  readonly maxDialogs?: number | undefined;
  readonly maxTransactions?: number | undefined;
}

export interface InviteOptions extends OutgoingOptions {
  readonly contactUser?: string | undefined;
  /** The value of Replaces (RFC 3891): our call takes the place of that one at the peer. */
  readonly replaces?: string | undefined;
}

export interface SubscribeOptions extends OutgoingOptions {
  /** Seconds; 0 for a single look. Default 3600. */
  readonly expires?: number | undefined;
  readonly accept?: string | undefined;
}

export interface RegisterOptions extends OutgoingOptions {
  /** The address of record; by default the agent's identity. */
  readonly aor?: Addressee | undefined;
  /** Seconds. Default 600. */
  readonly expires?: number | undefined;
  readonly contactUser?: string | undefined;
  /** RFC 5626: `urn:uuid:…`. */
  readonly instanceId?: string | undefined;
  readonly keepAlive?: KeepAlivePlan | undefined;
  readonly backoff?: BackoffPolicy | undefined;
}

const KNOWN_OPTIONS: readonly string[] = ['100rel', 'timer', 'replaces', 'norefersub'];

/**
 * A SIP user agent, both sides: makes and takes calls, requests, subscriptions and registrations.
 *
 * @example
 * const agent = createUserAgent({ transports: await openTransports({ listeners: [{ protocol: 'udp', address: '127.0.0.1', port: 5060 }] }) });
 * agent.on('invite', (call) => call.answer({ body: sdp(answerTo(call.offer)) }));
 * const call = agent.invite('sip:bob@127.0.0.1:5070', { body: sdp(offer) });
 * const { body } = await call.answered();
 */
export function createUserAgent(options: UserAgentOptions): UserAgent {
  return new UserAgent(options);
}

export class UserAgent extends Emitter<AgentEvents> implements AgentGround, TransactionUser {
  readonly layer: TransactionLayer;
  readonly clock: TimerWheel;
  readonly ids: Ids;
  readonly random: () => number;
  readonly reach: Reach;
  readonly dialogs: DialogTable<DialogUser>;
  readonly settings: AgentSettings;
  readonly supported: string;
  readonly #options: UserAgentOptions;
  readonly #digest: DigestClient | undefined;
  readonly #intake: Intake;
  readonly #registrations = new Set<Registration>();
  #isClosed = false;

  constructor(options: UserAgentOptions) {
    super();
    this.#options = options;
    const { transports, sessionTimer, credentials } = options;
    this.clock = new TimerWheel(options.clock ?? systemClock);
    this.ids = options.ids ?? randomIds();
    this.random = options.random ?? Math.random;
    this.reach = new Reach(transports, options.resolve);
    this.dialogs = new DialogTable(options.maxDialogs);
    this.#digest =
      credentials === undefined || credentials instanceof DigestClient
        ? credentials
        : new DigestClient({ credentialsFor: () => credentials });
    this.settings = {
      contactUser: options.contactUser,
      product: options.product,
      sessionTimer: { expires: sessionTimer?.expires ?? 1_800, minSE: sessionTimer?.minSE ?? LOWEST_MIN_SE },
      reliableProvisionals: options.reliableProvisionals ?? 'supported',
    };
    const tags = this.settings.reliableProvisionals === 'off' ? KNOWN_OPTIONS.slice(1) : KNOWN_OPTIONS;
    this.supported = tags.join(', ');
    this.#intake = new Intake(this, {
      knownOptions: new Set([...tags, ...(options.options ?? [])]),
      hears: (name) => this.hears(name),
      emit: (name, event) => this.emit(name, event),
    });
    this.layer = new TransactionLayer({
      transport: transports,
      clock: this.clock,
      ids: this.ids,
      timers: options.timers,
      maxTransactions: options.maxTransactions,
      flowForLarge: (flow) => transports.flowTo({ protocol: 'tcp', ...flow.remote }),
      user: this,
    });
  }

  get allow(): string {
    return this.#intake.allow;
  }

  /** What is under way: for tests and gauges. After everything has ended all are 0. */
  get counts(): { readonly dialogs: number; readonly transactions: number; readonly timers: number } {
    const { clients, servers } = this.layer.counts;
    return { dialogs: this.dialogs.size, transactions: clients + servers, timers: this.clock.size };
  }

  /** Calls somebody. With a body the call offers; without one the peer is to offer. */
  invite(to: Addressee, options: InviteOptions = {}): OutgoingCall {
    this.#check();
    const { request, hop } = this.#compose('INVITE', to, options);
    const { headers } = request;
    headers.set('Allow', this.allow);
    headers.set('Supported', this.supported);
    const { expires, minSE } = this.settings.sessionTimer;
    if (expires > 0) headers.set('Session-Expires', expires);
    if (expires > 0 && minSE > LOWEST_MIN_SE) headers.set('Min-SE', minSE);
    if (options.replaces !== undefined) {
      headers.set('Replaces', options.replaces);
      headers.set('Require', 'replaces');
    }
    const digest = options.digest ?? this.#digest;
    const { body, contactUser, signal } = options;
    return new OutgoingCall(this, { request, hop, body, digest, contactUser, signal });
  }

  /** Sends a request outside any dialog (MESSAGE, OPTIONS, PUBLISH, INFO …). Rejects with `Refusal` where the answer is no. */
  request(method: string, to: Addressee, options: OutgoingOptions = {}): Promise<SipResponse> {
    this.#check();
    const { request, hop } = this.#compose(method, to, options);
    return askOnce(this, { request, hop, digest: options.digest ?? this.#digest }, options.signal);
  }

  /** Sends a text (RFC 3428). */
  message(to: Addressee, text: string, options: OutgoingOptions = {}): Promise<SipResponse> {
    const body = { type: 'text/plain;charset=UTF-8', content: Buffer.from(text, 'utf8') };
    return this.request('MESSAGE', to, { body, ...options });
  }

  /** Subscribes to an event (RFC 6665), and keeps it alive until `unsubscribe`. */
  subscribe(to: Addressee, event: string, options: SubscribeOptions = {}): Subscription {
    this.#check();
    const expires = options.expires ?? 3_600;
    const { request, hop } = this.#compose('SUBSCRIBE', to, options);
    request.headers.set('Event', event);
    request.headers.set('Expires', expires);
    if (options.accept !== undefined) request.headers.set('Accept', options.accept);
    const digest = options.digest ?? this.#digest;
    return new Subscription(this, { request, hop, digest, expires, event, signal: options.signal });
  }

  /** Asks somebody, outside any call, to call `target` (RFC 3515). What becomes of it comes as NOTIFY with `message/sipfrag`. */
  refer(to: Addressee, target: Uri | string, options: OutgoingOptions = {}): Subscription {
    this.#check();
    const { request, hop } = this.#compose('REFER', to, options);
    request.headers.set('Refer-To', `<${target.toString()}>`);
    request.headers.set('Supported', this.supported);
    const digest = options.digest ?? this.#digest;
    return new Subscription(this, { request, hop, digest, expires: 180, event: 'refer', signal: options.signal });
  }

  /** Registers our contact and keeps it registered until `close`. */
  register(registrar: string, options: RegisterOptions = {}): Registration {
    this.#check();
    const aor = options.aor ?? this.#identity;
    const { request, hop } = this.#compose('REGISTER', aor, { ...options, from: aor, requestUri: registrar });
    request.headers.set('Supported', options.instanceId === undefined ? 'path' : 'path, outbound');
    request.headers.set('Allow', this.allow);
    const { contactUser, instanceId, keepAlive, backoff } = options;
    const digest = options.digest ?? this.#digest;
    const expires = options.expires ?? 600;
    const registration = new Registration(this, {
      request,
      hop,
      digest,
      contactUser,
      expires,
      instanceId,
      keepAlive,
      backoff,
    });
    this.#registrations.add(registration);
    registration.on('ended', () => this.#registrations.delete(registration));
    return registration;
  }

  /** The call of ours that a Replaces value names (RFC 3891 3), as a peer wrote it. */
  findCall(replaces: string): Call | undefined {
    const { value, params } = parseValueWithParams(replaces, 'Replaces');
    const user = this.dialogs.find(dialogId(value, params.get('to-tag') ?? '', params.get('from-tag') ?? ''));
    return user instanceof InviteDialog && user.call instanceof Call ? user.call : undefined;
  }

  /** Ends everything: calls are hung up, nothing waits for answers. The transports stay open: they are the caller's. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    await Promise.all([...this.#registrations].map((registration) => registration.close()));
    this.#isClosed = true;
    const users = [...this.dialogs.values()];
    for (const user of users) if (user instanceof InviteDialog && user.call instanceof Call) user.call.hangup();
    for (const user of users) user.drop();
    for (const registration of this.#registrations) registration.drop();
    this.layer.close();
    this.clock.clear();
    this.finish();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  onRequest(transaction: ServerTransaction, request: SipRequest): void {
    this.#intake.take(transaction, request);
  }

  onAck(ack: SipRequest, _flow: Flow): void {
    this.dialogs.find(dialogIdOfRequest(ack))?.onAck?.(ack);
  }

  get #identity(): string {
    return this.#options.identity ?? 'sip:anonymous@anonymous.invalid';
  }

  #compose(method: string, to: Addressee, options: OutgoingOptions): Composed {
    return compose(method, to, options, {
      identity: this.#identity,
      callId: this.ids.next(),
      tag: this.ids.next(),
      product: this.settings.product,
    });
  }

  #check(): void {
    if (this.#isClosed) throw new SipError('closed', 'the agent is closed');
  }
}
