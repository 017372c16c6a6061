import { type Clock, deferred, type Timer } from '../../kit/index.ts';
import { type CallEffect, type CallInput, type CallState, newCall, stepCall } from './call-machine.ts';
import { EarlyTexts } from './early-texts.ts';
import { CAUSE, type Cause, type EndpointId, type LegId, type Opaque, type Setup } from './model.ts';
import type { Leg, LegText, LegUser, Terminal } from './ports.ts';
import type { Speaker, Speech } from './speech.ts';
import type { StandingCall } from './standing-call.ts';
import type { Tally } from './tally.ts';

/** PBX §3.3: nobody reacts for so long, and the call ends. */
export const ANSWER_TIMEOUT_MS = 30_000;
/** A call that the PBX started to deliver texts is released after so long without one (design §6). */
export const IDLE_RELEASE_MS = 600_000;

/** What a call needs of its exchange. */
export interface CallHost {
  readonly clock: Clock;
  readonly speech: Speech;
  readonly answerTimeoutMs: number;
  readonly idleReleaseMs: number;
  /** Characters that each endpoint makes wait. */
  readonly held: Tally<EndpointId>;
  /** The terminal is one of this node. */
  isHere(terminal: Terminal): boolean;
  /** An input has been applied. */
  stepped(call: Call, before: CallState): void;
  /** It is over; nothing comes from it any more. */
  ended(call: Call): void;
}

interface Fork {
  readonly endpoint: Terminal;
  user: LegUser | null;
}

/** One call with its machine, its two ends and what is held for it. */
export class Call implements StandingCall {
  readonly setup: Setup;
  readonly caller: Terminal | null;
  readonly callerUser: LegUser | null;
  readonly forks = new Map<LegId, Fork>();
  readonly #host: CallHost;
  readonly #settled = deferred<EndpointId | null>();
  readonly #early: EarlyTexts | null;
  #bodyOfEffect: readonly Opaque[] = [];
  #timer: Timer | null = null;
  #idle: Timer | null = null;
  state: CallState = newCall;
  cause: Cause | null = null;

  constructor(host: CallHost, setup: Setup, caller: { readonly terminal: Terminal; readonly user: LegUser } | null) {
    this.#host = host;
    this.setup = setup;
    this.caller = caller?.terminal ?? null;
    this.callerUser = caller?.user ?? null;
    this.#early = caller === null ? null : new EarlyTexts(caller.terminal.id, host.held);
  }

  get callerEndpoint(): EndpointId | null {
    return this.caller?.id ?? null;
  }

  get winnerEndpoint(): EndpointId | null {
    return this.#winner?.endpoint.id ?? null;
  }

  get winnerUser(): LegUser | null {
    return this.#winner?.user ?? null;
  }

  get #winner(): Fork | null {
    return this.state.winner === null ? null : (this.forks.get(this.state.winner) ?? null);
  }

  get settled(): Promise<EndpointId | null> {
    return this.#settled.promise;
  }

  wasOffered(endpoint: EndpointId): boolean {
    return [...this.forks.values()].some((fork) => fork.endpoint.id === endpoint);
  }

  hasHere(endpoint: EndpointId): boolean {
    return [this.caller, this.#winner?.endpoint].some((end) => end?.id === endpoint && this.#host.isHere(end));
  }

  hasRefused(endpoint: EndpointId): boolean {
    return [...this.forks].some(
      ([leg, fork]) => fork.endpoint.id === endpoint && this.state.forks.get(leg) === 'released',
    );
  }

  /** A device of the callee: offered the call with `start`, or with `join`. */
  addFork(leg: LegId, endpoint: Terminal): void {
    this.forks.set(leg, { endpoint, user: null });
  }

  touch(): void {
    const winner = this.#winner;
    // Where another node has the winner, the idle time runs there.
    if (this.caller !== null || this.state.phase === 'ended' || winner === null || !this.#host.isHere(winner.endpoint))
      return;
    this.#idle?.cancel();
    this.#idle = this.#host.clock.after(this.#host.idleReleaseMs, () => this.hangUp(CAUSE.normal));
  }

  hangUp(cause: Cause): void {
    this.input({ type: 'hang-up', cause }, []);
  }

  input(input: CallInput, body: readonly Opaque[]): void {
    this.#step(input, body, () => true);
  }

  /** Ends the terminal's part. */
  lose(endpoint: Terminal): void {
    if (this.caller === endpoint) this.#callerReleases(CAUSE.lost, []);
    for (const [leg, fork] of this.forks)
      if (fork.endpoint === endpoint) this.input({ type: 'refuse', leg, cause: CAUSE.lost }, []);
  }

  #step(input: CallInput, body: readonly Opaque[], isTold: (effect: CallEffect) => boolean): void {
    const before = this.state;
    const [state, effects] = stepCall(before, input);
    this.state = state;
    for (const effect of effects) {
      this.#bodyOfEffect = body;
      if (isTold(effect)) this.#apply(effect);
    }
    this.#host.stepped(this, before);
    if (state.phase === 'connected' && state.winner === null) this.#settled.resolve(null);
  }

  #apply(effect: CallEffect): void {
    switch (effect.do) {
      case 'tell-caller':
        return this.#tellCaller(effect.what);
      case 'release-caller':
        return this.callerUser?.released(effect.cause, this.#bodyOfEffect);
      case 'offer':
        return this.#offer(effect.leg);
      case 'won':
        this.#settled.resolve(this.winnerEndpoint);
        return this.touch();
      case 'release':
        return this.forks.get(effect.leg)?.user?.released(effect.cause, this.#bodyOfEffect);
      case 'start-timer':
        this.#timer = this.#host.clock.after(this.#host.answerTimeoutMs, () => this.input({ type: 'timeout' }, []));
        return;
      case 'stop-timer':
        return this.#timer?.cancel();
      case 'end':
        return this.#end(effect.cause);
    }
  }

  #tellCaller(what: 'proceeding' | 'alerting' | 'connected'): void {
    const { callee } = this.setup;
    if (what === 'proceeding') return this.callerUser?.proceeding();
    if (what === 'alerting') return this.callerUser?.alerting(callee, this.#bodyOfEffect);
    this.callerUser?.connected(callee, this.#bodyOfEffect);
    for (const text of this.#early?.take() ?? []) if (this.caller !== null) this.#callerText(text, this.caller);
  }

  #offer(leg: LegId): void {
    const fork = this.forks.get(leg);
    if (fork === undefined) return;
    fork.user = fork.endpoint.offer(this.#calleeLeg(leg, fork));
  }

  #end(cause: Cause): void {
    this.cause = cause;
    this.#early?.take();
    this.#idle?.cancel();
    this.#settled.resolve(null);
    this.#host.ended(this);
  }

  #calleeLeg(leg: LegId, fork: Fork): Leg {
    const { caller, callee } = this.setup;
    const isWinner = (): boolean => this.state.phase === 'connected' && this.state.winner === leg;
    const speaker = (): Speaker => ({ terminal: fork.endpoint, user: fork.user, from: callee, to: caller });
    return {
      setup: { ...this.setup, leg },
      alert: (body) => this.input({ type: 'alert', leg }, body),
      connect: (body) => this.input({ type: 'connect', leg }, body),
      release: (cause, body) => this.input({ type: 'refuse', leg, cause }, body),
      relay: (body) => isWinner() && this.callerUser?.relayed(body),
      text: (text) => isWinner() && this.#say(speaker(), text),
      chatState: (state) => isWinner() && this.#host.speech.chatState(speaker(), state),
    };
  }

  callerLeg(terminal: Terminal): Leg {
    return {
      setup: this.setup,
      alert: () => undefined,
      connect: () => undefined,
      release: (cause, body) => this.#callerReleases(cause, body),
      relay: (body) => this.#winner?.user?.relayed(body),
      text: (text) => this.#callerText(text, terminal),
      chatState: (state) => this.#host.speech.chatState(this.#callerSpeaks(terminal), state),
    };
  }

  #callerSpeaks(terminal: Terminal): Speaker {
    return { terminal, user: this.callerUser, from: this.setup.caller, to: this.setup.callee };
  }

  /** `rel` is final and is not answered (PBX §2.1): the caller isn't told of its own release. */
  #callerReleases(cause: Cause, body: readonly Opaque[]): void {
    this.#step({ type: 'hang-up', cause }, body, (effect) => effect.do !== 'release-caller');
  }

  #callerText(text: LegText, terminal: Terminal): void {
    if (this.state.phase === 'ended') return;
    if (this.state.isAnswered) this.#say(this.#callerSpeaks(terminal), text);
    else if (this.#early?.push(text) !== true) this.hangUp(CAUSE.protocol);
  }

  #say(speaker: Speaker, text: LegText): void {
    this.touch();
    this.#host.speech.text(speaker, text);
  }
}
