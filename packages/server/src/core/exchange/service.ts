import { type Clock, type Ids, Listeners, Problem, type Stop } from '../../kit/index.ts';
import { type Conversations, directConversation } from '../conversations/index.ts';
import type { User } from '../directory/index.ts';
import type { ConversationId, UserId } from '../journal/index.ts';
import { ANSWER_TIMEOUT_MS, Call, type CallHost, IDLE_RELEASE_MS } from './call.ts';
import type { CallKind, ConferenceId, EndpointId, LegId, Opaque, Party, Setup } from './model.ts';
import type { Endpoint, Leg, LegUser, Terminal } from './ports.ts';
import { createSpeech } from './speech.ts';
import type { StandingCall } from './standing-call.ts';
import { Tally } from './tally.ts';

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

export function createExchange(parts: ExchangeParts): Exchange {
  const { clock, ids } = parts;
  const endpoints = new Map<UserId, Set<Endpoint>>();
  const lines = new Map<string, Terminal>();
  const changes = new Listeners<StandingCall>();
  const calls = new Set<Call>();
  const byPair = new Map<ConversationId, Set<Call>>();
  const load = new Tally<EndpointId>();
  const host: CallHost = {
    clock,
    speech: createSpeech(parts.conversations),
    answerTimeoutMs: parts.answerTimeoutMs ?? ANSWER_TIMEOUT_MS,
    idleReleaseMs: parts.idleReleaseMs ?? IDLE_RELEASE_MS,
    held: new Tally(),
    stepped(call, before) {
      if (call.setup.kind !== 'chat' && call.state.phase !== before.phase) changes.emit(call);
    },
    ended(call) {
      calls.delete(call);
      const standing = byPair.get(call.setup.conversation);
      standing?.delete(call);
      if (standing?.size === 0) byPair.delete(call.setup.conversation);
      if (call.caller !== null) load.add(call.caller.id, -1);
    },
  };

  function begin(setup: Setup, caller: { readonly terminal: Terminal; readonly user: LegUser } | null): Call {
    const call = new Call(host, setup, caller);
    calls.add(call);
    const standing = byPair.get(setup.conversation) ?? new Set();
    byPair.set(setup.conversation, standing.add(call));
    if (call.caller !== null) load.add(call.caller.id, 1);
    return call;
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
      call.addFork(leg, endpoint);
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
      call.addFork(leg, terminal);
      call.input({ type: 'join', leg }, []);
    }
  }

  /** Ends the terminal's part in every call. */
  function lose(endpoint: Terminal): void {
    for (const call of [...calls]) call.lose(endpoint);
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
      if (load.of(from.id) >= MAX_CALLS_PER_ENDPOINT)
        throw new Problem('too-many-calls', 'Too many calls at once.', { retry: true });
      const call = begin(setupOf(kind, caller, partyOf(to), body), { terminal: from, user });
      const leg = call.callerLeg(from);
      call.input({ type: 'start', forks: legsFor(call, from.id), isTaken }, []);
      return leg;
    },
    callFor(caller, to) {
      const call = begin(setupOf('chat', caller, to, []), null);
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
