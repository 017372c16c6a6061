import type { Timer } from '../clock/index.ts';
import type { DigestClient } from '../digest/index.ts';
import { makeRequest, quote } from '../messages/index.ts';
import type { NameAddr, SipRequest, SipResponse } from '../messages/index.ts';
import { Refusal, SipError } from '../transactions/index.ts';
import type { Endpoint, Flow } from '../transport/index.ts';
import { keepAlive } from '../transport/index.ts';
import { contactOn } from '../agent/ground.ts';
import type { AgentGround } from '../agent/ground.ts';
import { Emitter } from '../agent/emitter.ts';
import { Outbound } from '../agent/outbound.ts';
import type { OutboundUser } from '../agent/outbound.ts';
import type { Hop } from '../agent/reach.ts';
import { DEFAULT_BACKOFF, registrationStart, stepRegistration } from './machine.ts';
import type { BackoffPolicy, RegistrationEffect, RegistrationInput, RegistrationState } from './machine.ts';

/** Sends keep-alives; `SipTransports` does. */
export interface Prober {
  probe(flow: Flow, timeoutMs: number): Promise<Endpoint | undefined>;
}

export interface KeepAlivePlan {
  readonly prober: Prober;
  /** By default what the registrar says in Flow-Timer, else RFC 5626's 120 s on connections and 25 s by UDP. */
  readonly intervalMs?: number | undefined;
  readonly timeoutMs?: number | undefined;
}

export interface RegistrationParts {
  /** The first REGISTER, without Via and Contact. */
  readonly request: SipRequest;
  readonly hop: Hop;
  readonly digest: DigestClient | undefined;
  readonly contactUser: string | undefined;
  /** Seconds. */
  readonly expires: number;
  /** RFC 5626: a stable name of this device (`urn:uuid:…`); with it the registrar knows the flow as ours. */
  readonly instanceId: string | undefined;
  readonly keepAlive: KeepAlivePlan | undefined;
  readonly backoff: BackoffPolicy | undefined;
}

export interface RegistrationEvents {
  registered: { readonly expires: number; readonly contacts: readonly NameAddr[]; readonly response: SipResponse };
  /** A try failed; the next is in `retryMs`, undefined: there is none. */
  failed: { readonly error: SipError; readonly retryMs: number | undefined };
  /** The last event. */
  ended: { readonly error: SipError | undefined };
}

/** Refused for good: another try with the same would only lock the account. */
const FINAL: ReadonlySet<number> = new Set([401, 403, 404, 405, 407, 420, 501]);

/** Keeps a contact of ours registered: refreshes it, backs off after failures, and moves to a new flow when the old one dies. */
export class Registration extends Emitter<RegistrationEvents> implements OutboundUser {
  readonly #ground: AgentGround;
  readonly #parts: RegistrationParts;
  #state: RegistrationState;
  #timer: Timer | undefined;
  #outbound: Outbound | undefined;
  #flow: Flow | undefined;
  #keepAlive: { close(): void } | undefined;
  #seq = 0;
  #granted: { expires: number; contacts: readonly NameAddr[]; response: SipResponse } | undefined;
  #error: SipError | undefined;
  #serviceRoute: readonly string[] = [];

  constructor(ground: AgentGround, parts: RegistrationParts) {
    super();
    this.#ground = ground;
    this.#parts = parts;
    this.#state = registrationStart(parts.expires);
    this.#step({ on: 'start' });
  }

  get state(): RegistrationState['name'] {
    return this.#state.name;
  }

  /** The Route of requests through this registrar (RFC 3608). */
  get serviceRoute(): readonly string[] {
    return this.#serviceRoute;
  }

  /** The flow that we are registered on. */
  get flow(): Flow | undefined {
    return this.#flow;
  }

  /** Un-registers; resolves when the registrar has answered, or can't be asked. */
  async close(): Promise<void> {
    const isOver = this.#state.name === 'ended';
    const over = isOver ? undefined : new Promise((resolve) => this.on('ended', resolve));
    this.#step({ on: 'stop' });
    await over;
  }

  /** Stops without a word. */
  drop(): void {
    this.#outbound?.drop();
    this.#timer?.cancel();
    this.#keepAlive?.close();
    this.#state = { ...this.#state, name: 'ended' };
    this.#run({ do: 'end' });
  }

  onSend(request: SipRequest, flow: Flow): void {
    this.#flow = flow;
    const { contactUser, instanceId } = this.#parts;
    const expires = this.#state.name === 'leaving' ? 0 : this.#state.expires;
    let contact = contactOn(flow, contactUser ?? this.#ground.settings.contactUser);
    if (instanceId !== undefined) contact += `;+sip.instance=${quote(`<${instanceId}>`)};reg-id=1`;
    request.headers.set('Contact', `${contact};expires=${expires}`);
  }

  onResponse(response: SipResponse, outbound: Outbound): void {
    const { status, headers } = response;
    if (status < 200 || outbound !== this.#outbound) return;
    this.#seq = outbound.request.headers.cseq?.seq ?? this.#seq;
    if (this.#state.name === 'leaving') return this.#step({ on: 'left' });
    if (status < 300) return this.#registered(response);
    this.#error = new Refusal(response);
    if (status === 423) return this.#step({ on: 'too-brief', minExpires: headers.minExpires ?? 0 });
    if (FINAL.has(status)) return this.#step({ on: 'refused' });
    this.#step({ on: 'failed', retryAfter: headers.retryAfter });
  }

  onFailure(error: SipError): void {
    this.#error = error;
    this.#step(this.#state.name === 'leaving' ? { on: 'left' } : { on: 'failed', retryAfter: undefined });
  }

  #registered(response: SipResponse): void {
    const { headers } = response;
    const own =
      this.#flow === undefined
        ? ''
        : contactOn(this.#flow, this.#parts.contactUser ?? this.#ground.settings.contactUser);
    const contacts = headers.contacts;
    const binding = contacts.find((c) => `<${c.uriText}>` === own) ?? (contacts.length === 1 ? contacts[0] : undefined);
    const text = binding?.params.get('expires') ?? '';
    const expires = /^\d{1,9}$/.test(text) ? Number(text) : (headers.expires ?? this.#state.expires);
    this.#parts.digest?.learn(response);
    if (expires === 0) {
      this.#error = new SipError('refused', 'the registrar granted no time');
      return this.#step({ on: 'failed', retryAfter: headers.retryAfter });
    }
    this.#serviceRoute = headers.list('Service-Route');
    this.#granted = { expires, contacts, response };
    this.#error = undefined;
    this.#watch(headers.get('Flow-Timer'));
    this.#step({ on: 'granted', expires });
  }

  #watch(flowTimer: string | undefined): void {
    const { keepAlive: plan } = this.#parts;
    const flow = this.#flow;
    this.#keepAlive?.close();
    this.#keepAlive = undefined;
    if (plan === undefined || flow === undefined) return;
    const told = flowTimer !== undefined && /^\d{1,6}$/.test(flowTimer) ? Number(flowTimer) * 1_000 : undefined;
    this.#keepAlive = keepAlive(plan.prober, {
      flow,
      intervalMs: plan.intervalMs ?? told ?? (flow.protocol === 'udp' ? 25_000 : 120_000),
      clock: this.#ground.clock,
      ...(plan.timeoutMs === undefined ? {} : { timeoutMs: plan.timeoutMs }),
      onDead: () => this.#step({ on: 'flow-lost' }),
    });
  }

  #step(input: RegistrationInput): void {
    const context = { backoff: this.#parts.backoff ?? DEFAULT_BACKOFF, random: this.#ground.random };
    const { state, effects } = stepRegistration(this.#state, input, context);
    this.#state = state;
    for (const effect of effects) this.#run(effect);
  }

  #run(effect: RegistrationEffect): void {
    switch (effect.do) {
      case 'register':
        return this.#send(effect.expires);
      case 'schedule':
        this.#timer?.cancel();
        this.#timer = this.#ground.clock.after(effect.ms, () => this.#step({ on: 'timer' }));
        return;
      case 'cancel-timer':
        return this.#timer?.cancel();
      case 'tell-registered':
        if (this.#granted) this.emit('registered', this.#granted);
        return;
      case 'tell-failed':
        if (this.#error) this.emit('failed', { error: this.#error, retryMs: effect.retryMs });
        return;
      case 'end':
        this.#timer?.cancel();
        this.#keepAlive?.close();
        this.emit('ended', { error: this.#error });
        this.finish();
    }
  }

  #send(expires: number): void {
    const { request: first, hop, digest } = this.#parts;
    this.#outbound?.drop();
    this.#keepAlive?.close();
    // What is under way may have been sent again, with a higher number, for a challenge.
    this.#seq = Math.max(this.#seq, this.#outbound?.request.headers.cseq?.seq ?? 0) + 1;
    const headers = first.headers.clone();
    headers.set('CSeq', `${this.#seq} REGISTER`);
    headers.set('Expires', expires);
    const request = makeRequest({ method: 'REGISTER', uri: first.uri, headers });
    this.#outbound = new Outbound(this.#ground, { request, hop, digest, user: this }).start();
  }
}
