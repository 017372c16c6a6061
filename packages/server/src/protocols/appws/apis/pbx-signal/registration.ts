import { type Envelope, followText, type JsonObject, textOf } from '@tieline/appwebsocket';
import type { Entry } from '../../../../core/index.ts';
import type { ChatStateChange, Message } from '../../../../core/conversations/index.ts';
import {
  type CallKind,
  CAUSE,
  type ChatLine,
  createChatLine,
  type Endpoint,
  type EndpointId,
  type Leg,
  type LegUser,
} from '../../../../core/exchange/index.ts';
import type { ResyncReason, UserId } from '../../../../core/journal/index.ts';
import type { LeaseEnd, PresenceLease } from '../../../../core/presence/index.ts';
import type { ChatSession, LiveSink, Sink } from '../../../../delivery/index.ts';
import { Lru, type Stop } from '../../../../kit/index.ts';
import type { Channel } from '../../api.ts';
import type { LoggedIn } from '../../logins.ts';
import type { AppWsParts } from '../../parts.ts';
import { type CallHost, type Name, SignalCall } from './call.ts';
import { startCall } from './outgoing.ts';
import type { PresenceSigs } from './presence-sigs.ts';
import { headOf, type SharedSig, type Signalings } from './shared-sig.ts';
import { releaseSig, setupSig, type Sig } from './signals.ts';

/**
 * Texts that may wait for the device to accept a chat call before the journal is read further.
 * @peer texts once it has accepted
 * @test appws-edges: more texts than may wait
 */
const MAX_WAITING_TEXTS = 64;
/**
 * Texts of one registration on their way to the store: more than one peer may wait for a device to accept, far more than a commit
 * leaves standing.
 * @peer its sending stalls
 * @test appws-edges: texts on their way
 */
export const MAX_TEXTS_UNDER_WAY = 512;
/**
 * Calls of one registration, of every kind.
 * @peer the new call is released with cause 111
 * @test appws-edges: calls of one registration
 */
const MAX_CALLS = 1_000;
/**
 * Characters that the calls of one registration may make wait: texts whose rest is to come, frames of calls that begin.
 * @peer its call is released with cause 111
 * @test appws-edges: what the calls of one registration
 */
const MAX_HELD_CHARACTERS = 4 * 1024 * 1024;
/**
 * Names of peers kept at hand, so that texts keep their order; those used longest ago are looked up again.
 * @peer nothing to notice
 * @test kit: an LRU forgets what was used longest ago
 */
const MAX_NAMES = 200;

/** A text is shown, whether its author can be looked up or not. */
const NOBODY = { name: '', displayName: '' };

/** What the PBX tells every device about numbers (PBX §2.1); the same for all until dial plans come. */
const NUMBERS = { prefixIntl: '000', prefixNtl: '00', prefixSubs: '0', area: '', country: '49' };

/** What all registrations share. */
export interface SignalParts {
  readonly parts: AppWsParts;
  readonly presenceSigs: PresenceSigs;
  readonly signalings: Signalings;
}

/** One registered device: an endpoint of the exchange, a live session of its owner, and the calls of one connection. */
export class Registration implements Endpoint, CallHost, Sink, LiveSink {
  readonly id: EndpointId;
  readonly owner: UserId;
  readonly resource: string;
  readonly #takesMedia: boolean;
  readonly isAttended = false;
  /** `resume` in `Register`, even empty, says that the client knows what is ours: `direction:"out"`, `Resync`. */
  readonly isAware: boolean;
  readonly parts: AppWsParts;
  readonly presenceSigs: PresenceSigs;
  readonly who: LoggedIn;
  readonly #channel: Channel;
  readonly #request: Envelope;
  /** How every `Signaling` begins. */
  readonly #signaling: string;
  readonly #calls = new Map<number, SignalCall>();
  readonly #whenWritable = new Set<() => void>();
  readonly #names = new Lru<UserId, Name>(MAX_NAMES);
  readonly #line: ChatLine;
  readonly #lease: PresenceLease;
  readonly #unregister: Stop;
  readonly #session: ChatSession;
  /** What is signalled before RegisterResult has been sent. */
  #early: (() => void)[] | null = [];
  #heldCharacters = 0;
  #nextIncoming = -1;
  #waiting = 0;
  #underWay = 0;
  #isPaused = false;
  #isOpen = true;

  constructor(shared: SignalParts, channel: Channel, who: LoggedIn, request: Envelope) {
    const { parts } = shared;
    this.parts = parts;
    this.presenceSigs = shared.presenceSigs;
    this.who = who;
    this.#channel = channel;
    this.#request = request;
    this.#signaling = shared.signalings.of(request);
    this.id = parts.ids.guid() as EndpointId;
    this.owner = who.party.id;
    this.resource = `pbxsignal-${channel.id}`;
    this.isAware = typeof request.message['resume'] === 'string';
    this.#takesMedia = !textOf(request.message['flags']).split('|').includes('NO_MEDIA_CALL');
    const { exchange, directory, clock } = parts;
    this.#line = createChatLine({ endpoint: this, exchange, directory, clock });
    this.#session = this.#openSession();
    try {
      this.#unregister = parts.exchange.register(this);
    } catch (error) {
      this.#session.close();
      throw error;
    }
    this.#lease = parts.presence.lease(this.owner, this.resource);
  }

  get actor(): LoggedIn['actor'] {
    return this.who.actor;
  }

  /** Members of RegisterResult. */
  result(): JsonObject {
    return NUMBERS;
  }

  /** After the result has been sent: indications follow it (PBX §0.1). */
  start(): void {
    const early = this.#early ?? [];
    this.#early = null;
    for (const send of early) send();
    this.#lease.set('available', '');
  }

  #openSession(): ChatSession {
    const token = textOf(this.#request.message['resume']);
    const from = token === '' ? 'now' : { resume: token };
    return this.parts.delivery.open({ user: this.owner, from, sink: this });
  }

  /** The app reads again. */
  pump(): void {
    const waiting = [...this.#whenWritable];
    this.#whenWritable.clear();
    for (const run of waiting) run();
    this.#session.pump();
  }

  get isWritable(): boolean {
    return this.#channel.isWritable();
  }

  /** Calls `run` once when the app has read what waits for it. */
  whenWritable(run: () => void): void {
    this.#whenWritable.add(run);
  }

  /** Calls of a registration that another one replaces. */
  replaced(): void {
    for (const call of [...this.#calls.values()]) call.abort(CAUSE.normal);
  }

  close(how: LeaseEnd): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    if (this.#isPaused) this.#channel.pause(false);
    this.#session.close();
    for (const call of [...this.#calls.values()]) call.end(CAUSE.lost, []);
    this.#unregister();
    this.#lease.end(how);
  }

  // From the app.

  received(call: number, sig: Sig): void {
    const known = this.#calls.get(call);
    if (sig.type === 'setup') {
      // PBX §2.1: an id in use ends the old call at its peer and drops the new attempt.
      if (known !== undefined) return known.abort(CAUSE.protocol);
      const isFull = this.#calls.size >= MAX_CALLS;
      if (isFull) this.limitHit('too-many-calls');
      if (call < 0 || isFull) return this.#send(call, releaseSig(CAUSE.protocol, []));
      return this.#start(call, sig);
    }
    if (known !== undefined) return known.received(sig);
    if (sig.type !== 'rel') this.#send(call, releaseSig(CAUSE.unknownCall, []));
  }

  /** A frame that can't be understood, or is too much: its call ends at both sides. */
  malformed(call: number): void {
    const known = this.#calls.get(call);
    if (known === undefined) this.#send(call, releaseSig(CAUSE.protocol, []));
    else known.abort(CAUSE.protocol);
  }

  #start(id: number, sig: Sig): void {
    const call = new SignalCall(id, this);
    this.#calls.set(id, call);
    startCall(this, call, sig).catch((error: unknown) => {
      this.parts.observer.trouble('setup', error);
      call.abort(CAUSE.failure);
    });
  }

  // Endpoint.

  sent(): void {
    this.parts.observer.messageSent();
  }

  takes(kind: CallKind): boolean {
    return kind !== 'media' || this.#takesMedia;
  }

  offer(leg: Leg): LegUser {
    const id = this.#nextIncoming--;
    const call = new SignalCall(id, this);
    call.attach(leg);
    if (this.#calls.size >= MAX_CALLS) {
      queueMicrotask(() => call.abort(CAUSE.failure));
      return call;
    }
    this.#calls.set(id, call);
    this.#names.set(leg.setup.caller.user, leg.setup.caller);
    this.#send(id, setupSig(leg.setup));
    return call;
  }

  underWay(change: 1 | -1): void {
    const texts = (this.#underWay += change);
    if (!this.#isOpen) return;
    const isPaused = this.#isPaused ? texts > MAX_TEXTS_UNDER_WAY / 2 : texts >= MAX_TEXTS_UNDER_WAY;
    if (isPaused === this.#isPaused) return;
    this.#isPaused = isPaused;
    this.#channel.pause(isPaused);
  }

  // CallHost.

  limitHit(name: string): void {
    this.#channel.limitHit(name);
  }

  signal(call: number, sig: JsonObject): void {
    this.#send(call, sig);
  }

  headOf(call: number): string {
    return headOf(this.#signaling, call);
  }

  signalText(text: string): void {
    if (!this.#isOpen) return;
    if (this.#early !== null) this.#early.push(() => this.#channel.send(text));
    else this.#channel.send(text);
  }

  signalShared(call: number, sig: SharedSig): void {
    if (!this.#isOpen) return;
    const frame = sig.frame(this.#signaling, call);
    if (this.#early !== null) this.#early.push(() => this.#channel.sendEncoded(frame));
    else this.#channel.sendEncoded(frame);
  }

  forget(call: number): void {
    this.#calls.delete(call);
  }

  hold(characters: number): boolean {
    if (this.#heldCharacters + characters > MAX_HELD_CHARACTERS) return false;
    this.#heldCharacters += characters;
    return true;
  }

  letGo(characters: number): void {
    this.#heldCharacters -= characters;
  }

  nameOf(message: Message): Name | Promise<Name> {
    const known = message.sender === this.owner ? this.who.party : this.#names.get(message.sender);
    if (known !== undefined) return known;
    return this.parts.directory.party({ by: 'id', value: message.sender }).then(
      (party) => {
        const name = party ?? NOBODY;
        this.#names.set(message.sender, name);
        return name;
      },
      (error: unknown) => {
        this.parts.observer.trouble('name', error);
        return NOBODY;
      },
    );
  }

  /** Peers of calls that the app starts. */
  remember(party: { readonly id: UserId; readonly name: string; readonly displayName: string }): void {
    this.#names.set(party.id, party);
  }

  // Sink and LiveSink.

  entry(entry: Entry, resume: string): void {
    if (entry.event.kind !== 'message') return;
    const { message } = entry.event;
    if (message.sender === this.owner) {
      if (this.isAware && message.resource !== this.resource) this.#line.echo(message, resume);
      return;
    }
    const given = this.#deliver(message, resume);
    if (typeof given !== 'boolean') given.catch((error: unknown) => this.failed(error));
  }

  volatile(message: Message): boolean | Promise<boolean> {
    return this.#deliver(message, null);
  }

  echo(message: Message): void {
    if (this.isAware && message.resource !== this.resource) this.#line.echo(message, null);
  }

  chatState(change: ChatStateChange): void {
    this.#line.chatState(change);
  }

  reach(from: UserId): boolean | Promise<boolean> {
    return this.#line.reach(from);
  }

  isReady(): boolean {
    return this.#waiting < MAX_WAITING_TEXTS && this.#channel.isWritable();
  }

  resync(reason: ResyncReason, resume: string): void {
    if (this.isAware) this.#channel.send(followText(this.#request, 'Resync', { reason, pos: resume }));
  }

  failed(error: unknown): void {
    this.parts.observer.trouble('delivery', error);
    this.#channel.close(1011, 'temporary failure');
  }

  #deliver(message: Message, resume: string | null): boolean | Promise<boolean> {
    const given = this.#line.deliver(message, resume);
    if (typeof given === 'boolean') return given;
    this.#waiting++;
    return given.finally(() => {
      this.#waiting--;
      if (this.#waiting < MAX_WAITING_TEXTS / 2) this.pump();
    });
  }

  #send(call: number, sig: JsonObject): void {
    this.signalText(`${this.headOf(call)}${JSON.stringify(sig)}}`);
  }
}
