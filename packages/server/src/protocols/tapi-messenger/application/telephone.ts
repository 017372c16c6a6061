import { type Call, canonicalNumber } from '../../../core/calls/index.ts';
import type { CallId } from '../../../core/journal/index.ts';
import type { Actor } from '../../../core/permissions/index.ts';
import type { Stop } from '../../../kit/index.ts';
import type { ApplicationSessions, FoundSession } from '../application-sessions.ts';
import { type Client, sendToOwn } from '../client.ts';
import type { TapiMessengerParts } from '../parts.ts';
import type { Subscription } from '../stomp/index.ts';
import { CALL_STATE, INCOMING, LISTEN } from './destinations.ts';
import { listenFailed } from './errors.ts';
import type { CallMessages } from './incoming.ts';

/** TM AP-10. */
const APPLICATION_SESSION = /^[A-Za-z0-9_.-]{1,64}$/;
interface Line {
  readonly number: string;
  readonly actor: Actor;
  /** TM AP-13 (b); null: the session's user listens to his own number. */
  readonly applicationSession: string | null;
  readonly stop: Stop;
}

export interface TelephoneParts extends Pick<
  TapiMessengerParts,
  'calls' | 'directory' | 'clock' | 'settings' | 'observer'
> {
  readonly lookup: ApplicationSessions;
  readonly messages: CallMessages;
  /** A call that no subscription of its session matched (TM AP-13). */
  readonly dropped: () => void;
}

/** The telephone of one session: at most one number is listened to (TM §4.1 to §4.3). */
export class Telephone {
  readonly #parts: TelephoneParts;
  readonly #client: Client;
  /** Live ones: the core has no more of them on one number than its bound. */
  readonly #calls = new Map<CallId, Call>();
  #line: Line | null = null;

  constructor(parts: TelephoneParts, client: Client) {
    this.#parts = parts;
    this.#client = client;
  }

  get number(): string | null {
    return this.#line?.number ?? null;
  }

  /** Who acts on calls here: the telephone that is listened to, else the user. */
  get actor(): Actor {
    return this.#line?.actor ?? this.#client.actor;
  }

  /**
   * Begins to listen, and returns the number as it was found (TM AP-10). Without an application session: a signed-in user's own.
   * @throws listen-failed | engine-unavailable | too-many-listeners | too-many-numbers
   */
  async listen(applicationSession: string | undefined): Promise<string> {
    const { user, actor, signal } = this.#client;
    const isOwn = applicationSession === undefined && user !== null;
    const phone = isOwn ? user.number : await this.#find(applicationSession ?? '');
    const number = phone === null ? undefined : canonicalNumber(phone);
    if (number === undefined || signal.aborted) throw listenFailed();
    if (this.#line?.number === number) {
      this.#line = { ...this.#line, applicationSession: applicationSession ?? this.#line.applicationSession };
      return number;
    }
    this.stop();
    const who: Actor = isOwn ? actor : { kind: 'telephone', user: null, number };
    const stop = await this.#parts.calls.listen(who, number, (call, how) => this.#onCall(call, how), { signal });
    this.#line = { number, actor: who, applicationSession: applicationSession ?? null, stop };
    if (this.#isForeign(this.#line)) {
      this.stop();
      throw listenFailed();
    }
    return number;
  }

  /** What was the user's own number may be somebody else's now: it is not listened to any more, and rights are looked at anew. */
  userChanged(): void {
    if (this.#line?.actor.kind !== 'user') return;
    if (!this.#isForeign(this.#line)) {
      this.#line = { ...this.#line, actor: this.#client.actor };
      return;
    }
    this.stop();
    this.#client.report({
      code: 'listen-failed',
      message: 'Your number has changed; listen again.',
      destination: LISTEN,
    });
  }

  /** The line was opened as the user's own number, and is not that. */
  #isForeign({ actor, number }: Line): boolean {
    return actor.kind === 'user' && canonicalNumber(this.#client.user?.number ?? '') !== number;
  }

  stop(): void {
    this.#line?.stop();
    this.#line = null;
    this.#calls.clear();
  }

  /** Live calls are told to whoever begins to watch their states. */
  showStates(subscription: Subscription): void {
    for (const call of this.#calls.values()) this.#client.send(subscription, this.#parts.messages.state(call));
  }

  /** TM AP-10 (1), (2); design §7: where the session is somebody's, the application session must be of the same user. */
  async #find(session: string): Promise<string | null> {
    if (!APPLICATION_SESSION.test(session)) return null;
    const found = await this.#ask(session);
    const { user } = this.#client;
    if (user !== null && found?.user !== undefined && found.user.toLowerCase() !== user.name) return null;
    return found?.phone ?? null;
  }

  async #ask(session: string): Promise<FoundSession | null> {
    const { lookup, clock, settings, observer } = this.#parts;
    const late = new AbortController();
    const timer = clock.after(settings.lookup.timeoutMs, () => late.abort());
    const signal = AbortSignal.any([late.signal, this.#client.signal]);
    const { promise: aborted, resolve } = Promise.withResolvers<null>();
    signal.addEventListener('abort', () => resolve(null));
    try {
      const found = await Promise.race([lookup.find(session, signal), aborted]);
      if (late.signal.aborted) observer.trouble('application session', new Error('the lookup took too long'));
      return found;
    } catch (error) {
      // TM FM-6. Problems of the own store travel on their own alarm; the session is told that it failed either way.
      if (!signal.aborted) observer.trouble('application session', error);
      return null;
    } finally {
      timer.cancel();
      late.abort();
    }
  }

  #onCall(call: Call, how: 'snapshot' | 'change'): void {
    const isNew = !this.#calls.has(call.id);
    if (call.state === 'ended') this.#calls.delete(call.id);
    else this.#calls.set(call.id, call);
    const isRinging = call.direction === 'inbound' && call.state === 'ringing';
    // TM AP-17: nothing is kept for late subscribers; what rang before the listening is a state, not a new call.
    if (isNew && isRinging && how === 'change') this.#pop(call);
    sendToOwn(this.#client, CALL_STATE, this.#parts.messages.state(call));
  }

  /** TM AP-13: the first rule that matches any subscription. */
  #pop(call: Call): void {
    const message = this.#parts.messages.caller(call);
    const client = this.#client;
    const session = this.#parts.settings.userQueue.apexFallback ? (this.#line?.applicationSession ?? null) : null;
    const isShown =
      sendToOwn(client, `${INCOMING}-user${client.label}`, message) ||
      (session !== null && sendToOwn(client, `${INCOMING}-user${session}`, message)) ||
      sendToOwn(client, INCOMING, message);
    if (!isShown) this.#parts.dropped();
  }
}
