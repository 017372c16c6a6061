/**
 * A stateful proxy (RFC 3261 16): registers phones, forks to all of them, records its route, cancels the losers, and passes on the
 * best answer. Phones behind connections are found by flow tokens in our Record-Route (RFC 5626 5).
 */
import { isSipUri, makeRequest, NameAddr, Params, parseUri, randomIds, Reach, ResponseContext } from '../src/index.ts';
import { SipUri, statusOf, systemClock, TimerWheel, TransactionLayer } from '../src/index.ts';
import type { Clock, Flow, FlowFinder, FlowTokens, Registrar, Resolve, ServerTransaction } from '../src/index.ts';
import type { SipRequest, TimerValues, Transport, Uri } from '../src/index.ts';

export interface ProxyOptions {
  readonly transports: Transport & FlowFinder;
  /** The domain whose addresses we know; requests for others go where their URI says. */
  readonly domain: string;
  readonly registrar: Registrar;
  readonly tokens: FlowTokens;
  readonly resolve?: Resolve;
  readonly clock?: Clock;
  readonly timers?: TimerValues;
}

interface Target {
  readonly uri: Uri;
  readonly route: readonly string[];
  readonly flow: Flow | undefined;
}

const DIALOG_METHODS: ReadonlySet<string> = new Set(['INVITE', 'SUBSCRIBE', 'REFER']);

export class Proxy {
  readonly layer: TransactionLayer;
  readonly clock: TimerWheel;
  readonly #options: ProxyOptions;
  readonly #reach: Reach;

  constructor(options: ProxyOptions) {
    this.#options = options;
    const { transports, timers } = options;
    this.clock = new TimerWheel(options.clock ?? systemClock);
    this.#reach = new Reach(transports, options.resolve);
    const user = {
      onRequest: (transaction: ServerTransaction, request: SipRequest) =>
        void this.#take(transaction, request).catch((error: unknown) => {
          transaction.respond(this.layer.reply(request, statusOf(error)));
        }),
      // Nobody answers an ACK: what can't be passed on is dropped.
      onAck: (ack: SipRequest, flow: Flow) => void this.#passAck(ack, flow).catch(statusOf),
    };
    this.layer = new TransactionLayer({ transport: transports, clock: this.clock, ids: randomIds(), timers, user });
  }

  close(): void {
    this.layer.close();
    this.clock.clear();
  }

  async #take(transaction: ServerTransaction, request: SipRequest): Promise<void> {
    const refuse = (status: number): boolean => transaction.respond(this.layer.reply(request, status));
    const { headers, method, uri } = request;
    if (method === 'CANCEL') return this.#cancel(refuse, request);
    if (method === 'REGISTER' && isSipUri(uri) && uri.host === this.#options.domain)
      return void transaction.respond(await this.#options.registrar.handle(request, transaction.flow));
    if (headers.maxForwards === 0) return void refuse(483);
    if (headers.proxyRequire.length > 0) return void refuse(420);
    let isCancelled = false;
    transaction.user = { onCancel: () => (isCancelled = true) };
    const targets = await this.#targets(request);
    if (isCancelled || targets.length === 0) return void refuse(isCancelled ? 487 : 480);
    const context = new ResponseContext(this, transaction, request, targets.length);
    transaction.user = { onCancel: () => context.cancel() };
    for (const target of targets) await this.#send(context, request, target, transaction.flow);
  }

  #cancel(refuse: (status: number) => boolean, request: SipRequest): void {
    const invite = this.layer.findInvite(request);
    refuse(invite === undefined ? 481 : 200);
    invite?.user.onCancel?.(request);
  }

  /** RFC 3261 16.5: along its route, to the phones of an address of ours, or where its URI says. */
  async #targets(request: SipRequest): Promise<readonly Target[]> {
    const { flow, route } = this.#ownRoute(request);
    if (flow === 'gone') return [];
    const { uri } = request;
    if (route.length > 0 || flow !== undefined || !isSipUri(uri) || uri.host !== this.#options.domain)
      return [{ uri, route, flow: route.length > 0 ? undefined : flow }];
    const bindings = await this.#options.registrar.find(uri.aor);
    return bindings.map((b) => ({
      uri: parseUri(b.contact),
      route: b.path,
      flow: b.path.length > 0 ? undefined : b.flow,
    }));
  }

  /** RFC 3261 16.4: our own entries come off the Route; a token in the last of them names a flow. */
  #ownRoute({ headers }: SipRequest): { readonly flow: Flow | 'gone' | undefined; readonly route: readonly string[] } {
    const route = headers.list('Route');
    let flow: Flow | 'gone' | undefined;
    for (const { uri } of headers.route) {
      if (!isSipUri(uri) || !uri.params.has('lr') || !this.#isOurs(uri)) break;
      if (uri.user !== undefined) flow = this.#options.tokens.read(uri.user) ?? 'gone';
      route.shift();
    }
    return { flow, route };
  }

  #isOurs(uri: SipUri): boolean {
    const { address, port = 5060, transport = 'udp' } = uri;
    const protocol = (['tcp', 'tls', 'ws', 'wss'] as const).find((own) => own === transport) ?? 'udp';
    const own = this.#options.transports.flowTo({ protocol, address, port })?.local;
    return own?.address === address && own.port === port;
  }

  async #send(context: ResponseContext, request: SipRequest, target: Target, from: Flow): Promise<void> {
    const copy = this.#copy(request, target);
    try {
      const [flow] = target.flow === undefined ? await this.#reach.flows(nextHop(copy)) : [target.flow];
      if (flow === undefined) return;
      if (DIALOG_METHODS.has(request.method) && request.headers.to?.tag === undefined) {
        // RFC 5658: two entries, one for each side, where these differ.
        copy.headers.prepend('Record-Route', this.#recordRoute(from));
        if (flow.connection !== from.connection || flow.protocol !== from.protocol)
          copy.headers.prepend('Record-Route', this.#recordRoute(flow));
      }
      context.send(copy, flow);
    } catch (error) {
      context.fail(statusOf(error));
    }
  }

  #copy({ method, body, headers: old }: SipRequest, { uri, route }: Target): SipRequest {
    const headers = old.clone();
    headers.remove('Route');
    for (const value of route) headers.add('Route', value);
    headers.set('Max-Forwards', (old.maxForwards ?? 70) - 1);
    return makeRequest({ method, uri, headers, body });
  }

  #recordRoute(flow: Flow): NameAddr {
    const { address, port } = flow.local;
    const transport = flow.protocol === 'udp' ? undefined : flow.protocol;
    const params = Params.of({ transport, lr: true });
    const user = flow.connection === undefined ? undefined : this.#options.tokens.write(flow);
    return NameAddr.of({ uri: SipUri.of({ user, host: address, port, params }) });
  }

  /** The ACK to a 2xx has no transaction: it is passed on as it comes (RFC 3261 16.11). */
  async #passAck(ack: SipRequest, from: Flow): Promise<void> {
    const [target] = await this.#targets(ack);
    if (target === undefined || ack.headers.maxForwards === 0) return;
    const copy = this.#copy(ack, target);
    const [flow] = target.flow === undefined ? await this.#reach.flows(nextHop(copy)) : [target.flow];
    this.layer.sendAlone(copy, flow ?? from);
  }
}

const nextHop = ({ headers, uri }: SipRequest): Uri => headers.route[0]?.uri ?? uri;
