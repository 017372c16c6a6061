import type { JsonObject } from '@tieline/appwebsocket';
import { CAUSE, type Cause, type Leg, type LegUser, type Opaque, type Party } from '../../../../core/exchange/index.ts';
import type { ChatState, Message } from '../../../../core/conversations/index.ts';
import { isLimit, type Problem } from '../../../../kit/index.ts';
import { causeOfProblem } from './errors.ts';
import { ImAssembler, imMessageHead, imMessageTexts } from './im-message.ts';
import type { SharedSig } from './shared-sig.ts';
import { causeOf, nameOf, opaqueOf, OWN_FACILITIES, releaseSig, type Sig, unfold } from './signals.ts';

/** How the author of a text is shown. */
export interface Name {
  readonly name: string;
  readonly displayName: string;
}

/** What stands around the texts of one sender. */
interface TextWrap {
  readonly sender: Name;
  readonly before: string;
  readonly headed: string;
  readonly after: string;
}

/** What a call needs of its registration. */
export interface CallHost {
  signal(call: number, sig: JsonObject): void;
  /** A message of this registration up to the value of `sig`. */
  headOf(call: number): string;
  /** Sends a message that begins so. */
  signalText(text: string): void;
  signalShared(call: number, sig: SharedSig): void;
  /** The id is free again. */
  forget(call: number): void;
  nameOf(message: Message): Name | Promise<Name>;
  /** A text of the app was stored, or taken by a live session. */
  sent(): void;
  /** So many characters must wait; false where too much waits already. */
  hold(characters: number): boolean;
  letGo(characters: number): void;
  /** A bound was hit, by the name of its problem. */
  limitHit(name: string): void;
  /** The client has said that it knows our additions. */
  readonly isAware: boolean;
}

/** The exchange's end of a call, or of something that looks like one (presence). */
export type LegEnd = Omit<Leg, 'setup'>;

/**
 * Frames of a call whose destination is still looked up: clients wait for `call_proc`, so these are few.
 * @peer its call is released with cause 111
 * @test pbx-signal/limits: frames before the destination is known
 */
const MAX_EARLY = 100;

/**
 * Texts of one call whose result is awaited by the app.
 * @peer `im_message_result` stays out
 * @test pbx-signal/limits: results that are awaited
 */
const MAX_EXPECTED = 1_000;

/** Chat states as `typing` (PBX §3.2). */
const TYPING: Readonly<Record<ChatState, boolean>> = {
  composing: true,
  paused: false,
  active: false,
  inactive: false,
  gone: false,
};

/** One call of one registration, between the wire (`sig`) and the exchange (a leg). */
export class SignalCall implements LegUser {
  readonly #id: number;
  readonly #host: CallHost;
  readonly #assembler = new ImAssembler();
  readonly #ownText = new Set<string>();
  #leg: LegEnd | null = null;
  #early: Sig[] = [];
  #endedWith: Cause | null = null;
  #held = 0;
  /** Texts that wait for a name. */
  #naming: Promise<void> | null = null;
  #wrap: TextWrap | null = null;

  constructor(id: number, host: CallHost) {
    this.#id = id;
    this.#host = host;
  }

  get isOver(): boolean {
    return this.#endedWith !== null;
  }

  /** The exchange's end; known a moment after this was made. What the app has sent meanwhile goes to it. */
  attach(leg: LegEnd): void {
    this.#leg = leg;
    if (this.#endedWith !== null) leg.release(this.#endedWith, []);
    const early = this.#early;
    this.#early = [];
    this.#letGo();
    for (const sig of early) this.received(sig);
  }

  // What the app does (PBX §2.2).

  received(sig: Sig): void {
    if (this.#leg === null && sig.type !== 'rel') {
      if (!this.#hold(sig.characters) || this.#early.push(sig) > MAX_EARLY) this.#tooMuch();
      return;
    }
    const body = opaqueOf(sig, OWN_FACILITIES);
    switch (sig.type) {
      case 'alert':
        return this.#leg?.alert(body);
      case 'conn':
        return this.#leg?.connect(body);
      case 'rel':
        return this.end(causeOf(sig), body);
      case 'disc':
        this.#host.signal(this.#id, releaseSig(causeOf(sig), []));
        return this.end(causeOf(sig), body);
      case 'facility':
        this.#facilities(sig);
        if (body.length > 0) this.#leg?.relay(body);
        return;
      default:
        if (body.length > 0) this.#leg?.relay(body);
    }
  }

  /** The app's own release: final, not answered. */
  end(cause: Cause, body: readonly Opaque[]): void {
    if (this.isOver) return;
    this.#over(cause);
    this.#leg?.release(cause, body);
  }

  #over(cause: Cause): void {
    this.#endedWith = cause;
    this.#early = [];
    this.#assembler.clear();
    this.#letGo();
    this.#host.forget(this.#id);
  }

  #hold(characters: number): boolean {
    if (this.isOver || !this.#host.hold(characters)) return false;
    this.#held += characters;
    return true;
  }

  #letGo(): void {
    this.#host.letGo(this.#held);
    this.#held = 0;
  }

  /** Ends it at both sides. */
  abort(cause: Cause): void {
    if (this.isOver) return;
    this.#host.signal(this.#id, releaseSig(cause, []));
    this.end(cause, []);
  }

  /** Ends it at both sides with the cause that stands for `problem`. */
  refuse(problem: Problem): void {
    if (isLimit(problem.code)) this.#host.limitHit(problem.code);
    this.abort(causeOfProblem(problem));
  }

  #tooMuch(): void {
    this.#host.limitHit('too-much-input');
    this.abort(CAUSE.protocol);
  }

  #facilities(sig: Sig): void {
    for (const item of sig.facilities) {
      if (item['type'] !== 'im_message' || this.isOver) continue;
      const received = this.#assembler.receive(item);
      if (received.kind === 'typing') this.#leg?.chatState(received.isTyping ? 'composing' : 'paused');
      else if (received.kind === 'part' && !this.#hold(sig.characters)) this.#tooMuch();
      else if (received.kind === 'too-long') this.#tooMuch();
      else if (received.kind === 'unsupported') this.#letGo();
      else if (received.kind === 'text') {
        this.#letGo();
        if (received.wantsResult) this.#expectResult(received.text.idempotencyKey);
        this.#leg?.text(received.text);
      }
    }
  }

  #expectResult(key: string | null): void {
    if (key !== null && this.#ownText.size < MAX_EXPECTED) this.#ownText.add(key);
  }

  // What the exchange tells.

  proceeding(): void {
    this.#tell({ type: 'call_proc' });
  }

  alerting(by: Party, body: readonly Opaque[]): void {
    this.#tellNamed('alert', by, body);
  }

  connected(by: Party, body: readonly Opaque[]): void {
    this.#tellNamed('conn', by, body);
  }

  released(cause: Cause, body: readonly Opaque[]): void {
    if (this.isOver) return;
    this.#over(cause);
    this.#host.signal(this.#id, releaseSig(cause, body));
  }

  relayed(body: readonly Opaque[]): void {
    for (const item of body) {
      const { members, facilities } = unfold([item]);
      this.#tell({ type: item.type, ...members, ...(facilities.length > 0 ? { fty: facilities } : {}) });
    }
  }

  /** What many calls are told. */
  shared(sig: SharedSig): void {
    if (!this.isOver) this.#host.signalShared(this.#id, sig);
  }

  chatState(state: ChatState): void {
    this.#tell({ type: 'facility', fty: [{ type: 'im_message', typing: TYPING[state] }] });
  }

  text(message: Message, info: { readonly direction: 'in' | 'out'; readonly resume: string | null }): void {
    const sender = this.#host.nameOf(message);
    if (!(sender instanceof Promise) && this.#naming === null) return this.#showText(message, sender, info);
    // A text whose author is looked up holds those behind it, so that the order stays.
    const before = this.#naming ?? Promise.resolve();
    const shown: Promise<void> = Promise.all([sender, before]).then(([known]) => {
      this.#showText(message, known, info);
      if (this.#naming === shown) this.#naming = null;
    });
    this.#naming = shown;
  }

  #showText(
    message: Message,
    sender: Name,
    info: { readonly direction: 'in' | 'out'; readonly resume: string | null },
  ): void {
    if (this.isOver) return;
    for (const text of imMessageTexts(message, info, this.#wrapOf(sender))) this.#host.signalText(text);
  }

  /** The same for all texts of one sender. */
  #wrapOf(sender: Name): TextWrap {
    if (this.#wrap?.sender === sender) return this.#wrap;
    const before = `${this.#host.headOf(this.#id)}{"type":"facility","fty":[`;
    // Joined, it is one flat string: what is only concatenated would be put together again for each text.
    const headed = [before, imMessageHead(sender)].join('');
    return (this.#wrap = { sender, before, headed, after: ']}}' });
  }

  /** For clients that sent `idem`: their text is stored, or taken by a live session (ours). */
  textTaken(message: Message, key: string | null): void {
    this.#host.sent();
    if (key === null || !this.#ownText.delete(key)) return;
    const result = { type: 'im_message_result', idem: key, id: message.id, time: Math.floor(message.at / 1000) };
    this.#tell({ type: 'facility', fty: [result] });
  }

  textFailed(problem: Problem): void {
    if (problem.code !== 'empty-message') this.refuse(problem);
  }

  #tellNamed(type: 'alert' | 'conn', by: Party, body: readonly Opaque[]): void {
    const { members, facilities } = unfold(body);
    this.#tell({ type, ...members, fty: [nameOf(by), ...facilities] });
  }

  #tell(sig: JsonObject): void {
    if (!this.isOver) this.#host.signal(this.#id, sig);
  }
}
