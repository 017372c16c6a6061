import { answerText, type Envelope, followText, isObject, type JsonObject, textOf } from '@tieline/appwebsocket';
import type { LeaseEnd } from '../../../../core/presence/index.ts';
import { isLimit, Problem } from '../../../../kit/index.ts';
import type { ApiSession, Channel } from '../../api.ts';
import type { LoggedIn } from '../../logins.ts';
import type { AppWsParts } from '../../parts.ts';
import type { RegisterError } from './errors.ts';
import { Registration, type SignalParts } from './registration.ts';
import { integerOf, parseSig, releaseSig } from './signals.ts';

/**
 * Frames that arrive while a `Register` is looked up wait for it (PBX §0.1: in arrival order).
 * @peer closed with 1008
 * @test pbx-signal/limits: frames that wait for RegisterResult
 */
const MAX_WAITING_FRAMES = 1_000;
/**
 * Characters of the frames that wait so: two of the longest frames.
 * @peer closed with 1008
 * @test pbx-signal/limits: frames that wait for RegisterResult
 */
const MAX_WAITING_CHARACTERS = 2 * 1024 * 1024;

interface Frame {
  readonly envelope: Envelope;
  readonly characters: number;
}

/** PbxSignal on one connection: at most one registration at a time. */
export class PbxSignalSession implements ApiSession {
  readonly #shared: SignalParts;
  readonly #parts: AppWsParts;
  readonly #channel: Channel;
  readonly #who: LoggedIn;
  #registration: Registration | null = null;
  #waiting: Frame[] | null = null;
  #waitingCharacters = 0;
  #isOpen = true;

  constructor(shared: SignalParts, channel: Channel, who: LoggedIn) {
    this.#shared = shared;
    this.#parts = shared.parts;
    this.#channel = channel;
    this.#who = who;
    channel.onWritable(() => this.#registration?.pump());
  }

  message(envelope: Envelope, characters: number): boolean {
    if (envelope.mt !== 'Register' && envelope.mt !== 'Signaling') return false;
    const frame = { envelope, characters };
    if (this.#waiting === null) this.#handle(frame);
    else this.#wait(this.#waiting, frame);
    return true;
  }

  #wait(waiting: Frame[], frame: Frame): void {
    this.#waitingCharacters += frame.characters;
    if (waiting.length < MAX_WAITING_FRAMES && this.#waitingCharacters <= MAX_WAITING_CHARACTERS) waiting.push(frame);
    else {
      this.#channel.limitHit('too-much-input');
      this.#channel.close(1008, 'too many messages before RegisterResult');
    }
  }

  close(how: LeaseEnd): void {
    this.#isOpen = false;
    this.#registration?.close(how);
    this.#registration = null;
  }

  #handle(frame: Frame): void {
    if (frame.envelope.mt === 'Register') this.#register(frame.envelope);
    else this.#signaling(frame);
  }

  #register(envelope: Envelope): void {
    this.#waiting = [];
    this.#waitingCharacters = 0;
    this.#open(envelope)
      .then(() => this.#goOn())
      .catch((error: unknown) => {
        this.#parts.observer.trouble('Register', error);
        this.#channel.close(1011, 'temporary failure');
      });
  }

  /** A second `Register` replaces the first: its calls end with cause 16 (PBX §2.1). */
  async #open(envelope: Envelope): Promise<void> {
    const refusal = await this.#refusalOf(envelope.message);
    if (!this.#isOpen) return;
    if (refusal !== null) return this.#channel.send(answerText(envelope, { err: refusal }));
    this.#registration?.replaced();
    this.#registration?.close('broken');
    try {
      this.#registration = new Registration(this.#shared, this.#channel, this.#who, envelope);
    } catch (error) {
      this.#registration = null;
      if (!(error instanceof Problem)) throw error;
      if (isLimit(error.code)) this.#channel.limitHit(error.code);
      this.#channel.send(answerText(envelope, { err: error.message }));
      return;
    }
    this.#channel.send(answerText(envelope, this.#registration.result()));
    this.#registration.start();
  }

  async #refusalOf(message: JsonObject): Promise<RegisterError | null> {
    const hw = textOf(message['hw']);
    if (hw === '' || this.#who.device === hw) return null;
    if (this.#who.device !== null) return 'not allowed';
    const devices = await this.#parts.directory.devices(this.#who.party.id);
    return devices.some((device) => device.id === hw) ? null : 'unknown device';
  }

  #goOn(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (let frame = waiting.shift(); frame !== undefined; frame = waiting.shift()) {
      this.#handle(frame);
      if (!this.#stillWaiting()) continue;
      this.#waiting = waiting;
      this.#waitingCharacters = waiting.reduce((sum, { characters }) => sum + characters, 0);
      return;
    }
  }

  /** Handling a frame may have begun another `Register`. */
  #stillWaiting(): boolean {
    return this.#waiting !== null;
  }

  #signaling({ envelope, characters }: Frame): void {
    const call = integerOf(envelope.message['call']);
    const sig = parseSig(envelope.message['sig'], characters);
    if (call === undefined || sig === undefined || call === 0) {
      if (isObject(envelope.message['sig']) && call !== undefined) this.#malformed(envelope, call);
      return;
    }
    if (this.#registration !== null) return this.#registration.received(call, sig);
    // PBX §2.1: Signaling before a successful Register.
    if (sig.type !== 'rel') this.#refuse(envelope, call);
  }

  #malformed(envelope: Envelope, call: number): void {
    if (this.#registration === null) this.#refuse(envelope, call);
    else this.#registration.malformed(call);
  }

  #refuse(envelope: Envelope, call: number): void {
    const request = { ...envelope, src: undefined };
    this.#channel.send(followText(request, 'Signaling', { call, sig: releaseSig(111, []) }));
  }
}
