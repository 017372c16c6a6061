import {
  type Clock,
  deferred,
  type Ids,
  Listeners,
  Problem,
  problemOf,
  type Stop,
  type Timer,
} from '../../kit/index.ts';
import { type ChatState, type Conversations, directConversation } from '../conversations/index.ts';
import type { User } from '../directory/index.ts';
import type { UserId } from '../journal/index.ts';
import { type CallEffect, type CallInput, type CallState, newCall, stepCall } from './call-machine.ts';
import {
  CAUSE,
  type CallKind,
  type Cause,
  type ConferenceId,
  type EndpointId,
  type LegId,
  type Opaque,
  type Party,
  type Setup,
} from './model.ts';
import type { Endpoint, Leg, LegText, LegUser, Terminal } from './ports.ts';

/** PBX §3.3: nobody reacts for so long, and the call ends. */
export const ANSWER_TIMEOUT_MS = 30_000;
/** A call that the PBX started to deliver texts is released after so long without one (design §6). */
export const IDLE_RELEASE_MS = 600_000;
/**
 * Registrations of one user that a call is offered to.
 * @peer `err` in RegisterResult
 * @test exchange/exchange: devices of one user
 */
export const MAX_ENDPOINTS_PER_USER = 50;
/**
 * Calls that one endpoint may have standing at once.
 * @peer the new call is released with cause 41
 * @test exchange/exchange: calls of one device
 */
export const MAX_CALLS_PER_ENDPOINT = 500;
/**
 * Texts of one call held until it is answered.
 * @peer the call is released with cause 111
 * @test exchange/exchange: texts before the answer
 */
export const MAX_HELD_TEXTS = 200;
/**
 * Characters of all texts of one endpoint that are held so: two of the longest (PBX §3.2: 1 MiB).
 * @peer the call is released with cause 111
 * @test exchange/exchange: texts before the answer
 */
export const MAX_HELD_CHARACTERS = 2 * 1024 * 1024;

/** A standing call, as the services around the exchange see it. */
export interface StandingCall {
  readonly setup: Setup;
  readonly state: CallState;
  /** Why it ended; null while it stands. */
  readonly cause: Cause | null;
  /** The endpoint that has the caller's part, or null where the PBX started the call. */
  readonly callerEndpoint: EndpointId | null;
  readonly callerUser: LegUser | null;
  /** The endpoint that has the callee's part, once a device has accepted. */
  readonly winnerEndpoint: EndpointId | null;
  readonly winnerUser: LegUser | null;
  /** Resolves once it is clear which of the callee's devices has the call: its endpoint, or null for none. */
  readonly settled: Promise<EndpointId | null>;
  /** This endpoint was, or is being, offered the call. */
  wasOffered(endpoint: EndpointId): boolean;
  hangUp(cause: Cause): void;
  /** A text went over it: the idle time of a call that the PBX started begins anew. */
  touch(): void;
}

export interface Exchange {
  /** Registers a device; calls that are being offered to its owner are offered to it too. @throws too-many-devices */
  register(endpoint: Endpoint): Stop;
  endpointsOf(user: UserId): readonly Endpoint[];
  /** A line: calls to this number are offered to it besides its owner's devices. One a number. */
  registerLine(number: string, line: Terminal): Stop;
  /**
   * A device starts a call. The answer is the exchange's end of the caller's leg; what becomes of the call is told to `user`.
   * @throws too-many-calls
   */
  call(
    from: Terminal,
    to: User,
    ask: {
      readonly kind: CallKind;
      readonly body: readonly Opaque[];
      readonly caller: Party;
      readonly isTaken: boolean;
    },
    user: LegUser,
  ): Leg;
  /** The PBX itself calls, on behalf of `caller`, to deliver texts. */
  callFor(caller: Party, to: Party): StandingCall;
  /** Standing chat calls between two users. */
  callsBetween(a: UserId, b: UserId): readonly StandingCall[];
  /** Telephone calls (`plain`, `media`), each time one begins, is answered or ends; no chat calls. */
  readonly changes: Pick<Listeners<StandingCall>, 'add'>;
  readonly size: number;
}

export interface ExchangeParts {
  readonly conversations: Pick<Conversations, 'send' | 'typing'>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly answerTimeoutMs?: number;
  readonly idleReleaseMs?: number;
}

interface Fork {
  readonly endpoint: Terminal;
  user: LegUser | null;
}

export function createExchange(parts: ExchangeParts): Exchange {
  const { conversations, clock, ids } = parts;
  const endpoints = new Map<UserId, Set<Endpoint>>();
  const lines = new Map<string, Terminal>();
  const changes = new Listeners<StandingCall>();
  const calls = new Set<Call>();
  const byPair = new Map<string, Set<Call>>();
  const load = new Map<EndpointId, number>();
  const heldBy = new Map<EndpointId, number>();

  function add(to: Map<EndpointId, number>, { id }: Terminal, count: number): void {
    const sum = (to.get(id) ?? 0) + count;
    if (sum > 0) to.set(id, sum);
    else to.delete(id);
  }

  /** One call with its machine, its two ends and what is held for it. */
  class Call implements StandingCall {
    readonly setup: Setup;
    readonly caller: Terminal | null;
    readonly callerUser: LegUser | null;
    readonly forks = new Map<LegId, Fork>();
    readonly #settled = deferred<EndpointId | null>();
    #bodyOfEffect: readonly Opaque[] = [];
    #held: LegText[] = [];
    #heldCharacters = 0;
    #timer: Timer | null = null;
    #idle: Timer | null = null;
    state: CallState = newCall;
    cause: Cause | null = null;

    constructor(setup: Setup, caller: Terminal | null, callerUser: LegUser | null) {
      this.setup = setup;
      this.caller = caller;
      this.callerUser = callerUser;
      calls.add(this);
      const standing = byPair.get(setup.conversation) ?? new Set();
      byPair.set(setup.conversation, standing.add(this));
      if (caller !== null) add(load, caller, 1);
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

    touch(): void {
      if (this.caller !== null || this.state.phase === 'ended') return;
      this.#idle?.cancel();
      this.#idle = clock.after(parts.idleReleaseMs ?? IDLE_RELEASE_MS, () => this.hangUp(CAUSE.normal));
    }

    hangUp(cause: Cause): void {
      this.input({ type: 'hang-up', cause }, []);
    }

    input(input: CallInput, body: readonly Opaque[]): void {
      const before = this.state.phase;
      const [state, effects] = stepCall(this.state, input);
      this.state = state;
      for (const effect of effects) {
        this.#bodyOfEffect = body;
        this.#apply(effect);
      }
      this.#changed(before);
      if (state.phase === 'connected' && state.winner === null) this.#settled.resolve(null);
    }

    #changed(before: CallState['phase']): void {
      if (this.setup.kind !== 'chat' && this.state.phase !== before) changes.emit(this);
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
          this.#timer = clock.after(parts.answerTimeoutMs ?? ANSWER_TIMEOUT_MS, () =>
            this.input({ type: 'timeout' }, []),
          );
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
      for (const text of this.#takeHeld())
        this.#submit(text, this.setup.caller, this.setup.callee, this.caller, this.callerUser);
    }

    #offer(leg: LegId): void {
      const fork = this.forks.get(leg);
      if (fork === undefined) return;
      fork.user = fork.endpoint.offer(this.#calleeLeg(leg, fork));
    }

    #end(cause: Cause): void {
      this.cause = cause;
      this.#takeHeld();
      calls.delete(this);
      const standing = byPair.get(this.setup.conversation);
      standing?.delete(this);
      if (standing?.size === 0) byPair.delete(this.setup.conversation);
      if (this.caller !== null) add(load, this.caller, -1);
      this.#idle?.cancel();
      this.#settled.resolve(null);
    }

    #calleeLeg(leg: LegId, fork: Fork): Leg {
      const isWinner = (): boolean => this.state.phase === 'connected' && this.state.winner === leg;
      return {
        setup: { ...this.setup, leg },
        alert: (body) => this.input({ type: 'alert', leg }, body),
        connect: (body) => this.input({ type: 'connect', leg }, body),
        release: (cause, body) => this.input({ type: 'refuse', leg, cause }, body),
        relay: (body) => isWinner() && this.callerUser?.relayed(body),
        text: (text) =>
          isWinner() && this.#submit(text, this.setup.callee, this.setup.caller, fork.endpoint, fork.user),
        chatState: (state) => isWinner() && this.#chatState(fork.endpoint, this.setup.callee, this.setup.caller, state),
      };
    }

    callerLeg(endpoint: Terminal): Leg {
      return {
        setup: this.setup,
        alert: () => undefined,
        connect: () => undefined,
        release: (cause, body) => this.#callerReleases(cause, body),
        relay: (body) => this.#winner?.user?.relayed(body),
        text: (text) => this.#callerText(text, endpoint),
        chatState: (state) => this.#chatState(endpoint, this.setup.caller, this.setup.callee, state),
      };
    }

    /** `rel` is final and is not answered (PBX §2.1): the caller isn't told of its own release. */
    #callerReleases(cause: Cause, body: readonly Opaque[]): void {
      const before = this.state.phase;
      const [state, effects] = stepCall(this.state, { type: 'hang-up', cause });
      this.state = state;
      this.#bodyOfEffect = body;
      for (const effect of effects) if (effect.do !== 'release-caller') this.#apply(effect);
      this.#changed(before);
    }

    /** PBX §3.1: texts may come before anybody has accepted; they wait, bounded. */
    #callerText(text: LegText, endpoint: Terminal): void {
      if (this.state.phase === 'ended') return;
      if (this.state.isAnswered)
        return this.#submit(text, this.setup.caller, this.setup.callee, endpoint, this.callerUser);
      const characters = text.attach.reduce((sum, url) => sum + url.length, text.body.length);
      this.#heldCharacters += characters;
      add(heldBy, endpoint, characters);
      if (this.#held.length >= MAX_HELD_TEXTS || (heldBy.get(endpoint.id) ?? 0) > MAX_HELD_CHARACTERS)
        return this.hangUp(CAUSE.protocol);
      this.#held.push(text);
    }

    #takeHeld(): readonly LegText[] {
      const held = this.#held;
      if (this.caller !== null) add(heldBy, this.caller, -this.#heldCharacters);
      this.#held = [];
      this.#heldCharacters = 0;
      return held;
    }

    #submit(text: LegText, from: Party, to: Party, endpoint: Terminal | null, user: LegUser | null): void {
      if (endpoint === null) return;
      this.touch();
      conversations.send(endpoint.actor, from.user, { ...text, to: to.user, resource: endpoint.resource }).then(
        (sent) => user?.textTaken(sent.message, text.idempotencyKey),
        (error: unknown) =>
          user?.textFailed(
            error instanceof Problem ? error : new Problem('failure', 'The text could not be taken.', { cause: error }),
          ),
      );
    }

    #chatState(endpoint: Terminal, from: Party, to: Party, state: ChatState): void {
      try {
        conversations.typing(endpoint.actor, from.user, { to: to.user, resource: endpoint.resource, state });
      } catch (error) {
        problemOf(error);
      }
    }
  }

  function terminalsOf({ user, number }: Party): readonly Terminal[] {
    const line = number === null ? undefined : lines.get(number);
    return [...(endpoints.get(user) ?? []), ...(line === undefined ? [] : [line])];
  }

  function legsFor(call: Call, except: EndpointId | null): LegId[] {
    const legs: LegId[] = [];
    for (const endpoint of terminalsOf(call.setup.callee)) {
      if (endpoint.id === except || !endpoint.takes(call.setup.kind)) continue;
      const leg = ids.guid() as LegId;
      call.forks.set(leg, { endpoint, user: null });
      legs.push(leg);
    }
    return legs;
  }

  function setupOf(kind: CallKind, caller: Party, callee: Party, body: readonly Opaque[]): Setup {
    return {
      conference: ids.guid() as ConferenceId,
      leg: ids.guid() as LegId,
      kind,
      caller,
      callee,
      conversation: directConversation(caller.user, callee.user),
      body,
    };
  }

  /** Calls that are being offered where this terminal belongs are offered to it too. */
  function join(terminal: Terminal, isCallee: (callee: Party) => boolean): void {
    for (const call of calls) {
      const isOffered = call.state.phase === 'offering' && isCallee(call.setup.callee);
      if (!isOffered || call.caller === terminal || !terminal.takes(call.setup.kind)) continue;
      const leg = ids.guid() as LegId;
      call.forks.set(leg, { endpoint: terminal, user: null });
      call.input({ type: 'join', leg }, []);
    }
  }

  /** Ends the terminal's part in every call. */
  function lose(endpoint: Terminal): void {
    for (const call of [...calls]) {
      if (call.caller === endpoint) call.callerLeg(endpoint).release(CAUSE.lost, []);
      for (const [leg, fork] of call.forks) {
        if (fork.endpoint !== endpoint) continue;
        call.input({ type: 'refuse', leg, cause: CAUSE.lost }, []);
      }
    }
  }

  return {
    changes,
    get size() {
      return calls.size;
    },
    endpointsOf: (user) => [...(endpoints.get(user) ?? [])],
    register(endpoint) {
      const own = endpoints.get(endpoint.owner) ?? new Set();
      if (own.size >= MAX_ENDPOINTS_PER_USER)
        throw new Problem('too-many-devices', 'Too many devices are registered.', { retry: true });
      endpoints.set(endpoint.owner, own.add(endpoint));
      join(endpoint, (callee) => callee.user === endpoint.owner);
      return () => {
        if (!own.delete(endpoint)) return;
        if (own.size === 0) endpoints.delete(endpoint.owner);
        lose(endpoint);
      };
    },
    registerLine(number, line) {
      if (lines.has(number)) throw new Problem('number-taken', 'This number has a line already.', { subject: number });
      lines.set(number, line);
      join(line, (callee) => callee.number === number);
      return () => {
        if (lines.get(number) !== line) return;
        lines.delete(number);
        lose(line);
      };
    },
    call(from, to, { kind, body, caller, isTaken }, user) {
      if ((load.get(from.id) ?? 0) >= MAX_CALLS_PER_ENDPOINT)
        throw new Problem('too-many-calls', 'Too many calls at once.', { retry: true });
      const call = new Call(setupOf(kind, caller, partyOf(to), body), from, user);
      const leg = call.callerLeg(from);
      call.input({ type: 'start', forks: legsFor(call, from.id), isTaken }, []);
      return leg;
    },
    callFor(caller, to) {
      const call = new Call(setupOf('chat', caller, to, []), null, null);
      call.input({ type: 'start', forks: legsFor(call, null), isTaken: false }, []);
      return call;
    },
    callsBetween: (a, b) =>
      [...(byPair.get(directConversation(a, b)) ?? [])].filter((call) => call.setup.kind === 'chat'),
  };
}

export function partyOf(user: User): Party {
  return { user: user.id, name: user.name, number: user.number, displayName: user.displayName };
}
