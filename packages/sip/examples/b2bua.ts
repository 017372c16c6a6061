/**
 * A back-to-back user agent: phones register with digest, call each other (all of one address ring at once), hold, send DTMF by INFO,
 * and transfer. Each call is two dialogs of ours; what one side says about the session goes to the other as it is.
 */
import { createUserAgent, isSipUri, nextDescription, statusOf } from '../src/index.ts';
import type { Body, Call, CallEnd, Change, DigestServer, FlowFinder, Hop, IncomingCall, Uri } from '../src/index.ts';
import type { IncomingRefer, IncomingRequest, Registrar, Resolve, Transport, UserAgent } from '../src/index.ts';
import type { UserAgentOptions } from '../src/index.ts';

/** One place where somebody can be rung. */
export interface Destination {
  readonly uri: Uri | string;
  readonly hop?: Hop | undefined;
  readonly route?: readonly string[];
}

export interface B2buaOptions {
  readonly transports: Transport & FlowFinder;
  readonly registrar?: Registrar;
  /** Who may call; without it everybody. */
  readonly digest?: DigestServer;
  readonly resolve?: Resolve;
  /** Who is rung for a Request-URI; by default the phones registered for it. */
  readonly route?: (uri: Uri) => readonly Destination[] | Promise<readonly Destination[]>;
  readonly agent?: Partial<UserAgentOptions>;
}

export class B2bua {
  readonly agent: UserAgent;
  readonly #options: B2buaOptions;
  /** The other side of each call that is joined. */
  readonly #peers = new Map<Call, Call>();

  constructor(options: B2buaOptions) {
    this.#options = options;
    const { transports, resolve, registrar } = options;
    this.agent = createUserAgent({ transports, resolve, options: ['path', 'outbound'], ...options.agent });
    this.agent.on('invite', (call) => this.#invite(call));
    if (registrar === undefined) return;
    this.agent.on('register', (incoming) => {
      const { request, transaction, flow } = incoming;
      const answered = registrar.handle(request, flow).then((response) => transaction.respond(response));
      answered.catch(() => incoming.respond(500));
    });
  }

  #invite(call: IncomingCall): void {
    const { digest } = this.#options;
    if (call.invite.headers.maxForwards === 0) return call.reject(483);
    if (digest === undefined) return this.#connect(call);
    const judged = digest.verify(call.invite).then((verdict) => {
      if (verdict.kind === 'proven') this.#connect(call);
      else if (verdict.kind === 'malformed') call.reject(400, { reason: verdict.reason });
      else call.reject(digest.status, { edit: (response) => digest.challenge(response, verdict) });
    });
    judged.catch(() => call.reject(500));
  }

  #find(uri: Uri): readonly Destination[] | Promise<readonly Destination[]> {
    const { route, registrar } = this.#options;
    if (route !== undefined) return route(uri);
    if (registrar === undefined || !isSipUri(uri)) return [];
    return registrar.find(uri.aor).then((bindings) =>
      bindings.map(({ contact, flow, path }) => ({
        uri: contact,
        hop: path.length > 0 ? undefined : flow,
        route: path,
      })),
    );
  }

  #connect(call: IncomingCall): void {
    const taken = call.replaces && this.#peers.get(call.replaces);
    if (taken !== undefined) return void this.#takeOver(call, taken);
    const found = this.#find(call.invite.uri);
    if ('then' in found) found.then((destinations) => this.#fork(call, destinations)).catch(() => call.reject(500));
    else this.#fork(call, found);
  }

  /** Rings every destination; the first that answers is joined with the caller, the others stop ringing. */
  #fork(call: IncomingCall, destinations: readonly Destination[]): void {
    if (call.state !== 'ringing') return;
    if (destinations.length === 0) return call.reject(480);
    const { to, maxForwards = 70 } = call.invite.headers;
    const common = { from: call.remote, body: call.offer, headers: { 'Max-Forwards': maxForwards - 1 } };
    const legs = destinations.map(({ uri, ...way }) =>
      this.agent.invite(to ?? uri, { requestUri: uri, ...way, ...common }),
    );
    let best: CallEnd | undefined;
    let open = legs.length;
    for (const leg of legs) {
      leg.on('progress', ({ status, body }) => status > 100 && call.progress(status, { body }));
      leg.on('answered', ({ body, isOffer }) => {
        for (const other of legs) if (other !== leg) other.hangup();
        this.#join(call, leg);
        this.#serve(call);
        this.#serve(leg);
        if (isOffer) call.on('confirmed', (ack) => leg.acknowledge(ack.body));
        call.answer({ body });
      });
      leg.on('ended', (end) => {
        if ((end.status ?? 999) < (best?.status ?? 1_000)) best = end;
        if ((open -= 1) === 0) call.reject(best?.status ?? statusOf(best?.error));
      });
    }
    call.on('ended', () => this.#peers.has(call) || legs.forEach((leg) => leg.hangup()));
  }

  #join(a: Call, b: Call): void {
    this.#peers.set(a, b).set(b, a);
  }

  /** From here on whatever this side wants is asked of the side that it is joined with by then. */
  #serve(side: Call): void {
    side.on('change', (change) => void this.#change(side, change));
    side.on('refer', (refer) => void this.#transfer(side, refer).catch(() => refer.notify(500)));
    side.on('request', (request) => void this.#relay(side, request));
    side.on('ended', () => {
      const other = this.#peers.get(side);
      this.#peers.delete(side);
      if (other !== undefined && this.#peers.get(other) === side) other.hangup();
    });
  }

  async #change(side: Call, change: Change): Promise<void> {
    const other = this.#peers.get(side);
    try {
      const answer = await other?.change(nextFor(other, change.offer));
      if (other === undefined || answer === undefined) return change.reject(480);
      const late = await change.accept(nextFor(side, answer.body));
      if (change.offer === undefined) answer.acknowledge(nextFor(other, late));
    } catch (error) {
      change.reject(statusOf(error));
    }
  }

  async #relay(side: Call, request: IncomingRequest): Promise<void> {
    try {
      const response = this.#peers.get(side)?.request(request.method, { body: request.body });
      request.respond((await response)?.status ?? 480);
    } catch (error) {
      request.respond(statusOf(error));
    }
  }

  /** A phone asks us to connect its partner with somebody else (RFC 3515), or with a call of its own (`replaces`). */
  async #transfer(from: Call, refer: IncomingRefer): Promise<void> {
    const partner = this.#peers.get(from);
    const consulted = refer.replaces === undefined ? undefined : this.agent.findCall(refer.replaces);
    const target = consulted && this.#peers.get(consulted);
    const [way] = target === undefined ? await this.#find(refer.target.uri) : [];
    if (partner === undefined || (target ?? way) === undefined) return refer.reject(404);
    refer.accept();
    const finish = (other: Call): void => {
      this.#join(partner, other);
      refer.notify(200);
      from.hangup();
      consulted?.hangup();
    };
    if (target !== undefined) {
      finish(target);
      // The one offers, the other answers (RFC 3725 flow I in calls that stand).
      const offered = await target.change();
      return offered.acknowledge(nextFor(target, (await partner.change(nextFor(partner, offered.body))).body));
    }
    const leg = this.agent.invite(refer.target, { requestUri: way?.uri, ...way, from: partner.remote });
    this.#serve(leg);
    partner.on('ended', () => leg.hangup());
    leg.on('progress', ({ status }) => status > 100 && refer.notify(status));
    leg.on('ended', ({ status }) => refer.notify(status ?? 487));
    leg.on('answered', ({ body: offer }) => {
      finish(leg);
      void partner.change(nextFor(partner, offer)).then(
        ({ body }) => leg.acknowledge(body),
        () => leg.hangup(),
      );
    });
  }

  /** An INVITE with Replaces takes the place of one side of a joined call (RFC 3891). */
  async #takeOver(call: IncomingCall, partner: Call): Promise<void> {
    try {
      const answer = await partner.change(nextFor(partner, call.offer));
      this.#join(call, partner);
      this.#serve(call);
      if (call.offer === undefined) call.on('confirmed', ({ body }) => answer.acknowledge(nextFor(partner, body)));
      call.answer({ body: answer.body });
    } catch (error) {
      call.reject(statusOf(error));
    }
  }
}

const nextFor = (call: Call, body: Body | undefined): Body | undefined =>
  body && nextDescription(call.dialog?.localBody, body);
