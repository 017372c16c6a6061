import { type Clock, type Ids, Listeners, Problem, type Stop } from '../../kit/index.ts';
import type { Peers } from '../cluster/index.ts';
import { type Conversations, directConversation } from '../conversations/index.ts';
import type { User } from '../directory/index.ts';
import type { UserId } from '../journal/index.ts';
import { ANSWER_TIMEOUT_MS, Call, type CallHost, IDLE_RELEASE_MS } from './call.ts';
import type { CallKind, ConferenceId, EndpointId, LegId, Opaque, Party, Setup } from './model.ts';
import type { Endpoint, Leg, LegUser, Terminal } from './ports.ts';
import { Remote, RemoteDevice } from './remote/index.ts';
import { createSpeech } from './speech.ts';
import type { StandingCall } from './standing-call.ts';
import { StandingCalls } from './standing-calls.ts';
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
/**
 * Legs of one call: a device that comes and goes while the call is offered would add one each time.
 * @peer the call is not offered to it
 * @test exchange/exchange: legs of one call
 */
export const MAX_FORKS = 200;

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
  /**
   * The chat call that takes texts of `caller` for `to`; where none stands, the PBX itself calls, on behalf of `caller`. With
   * devices on several nodes one of these decides, so that they are called once.
   */
  callFor(caller: Party, to: Party): StandingCall | Promise<StandingCall>;
  /**
   * Whether this device of `owner` has its end of the call still: what is in the journal now is its own to tell then. False where
   * its node says no, can't be asked, or has died.
   */
  hasIt(call: StandingCall, owner: UserId, endpoint: EndpointId): boolean | Promise<boolean>;
  /** Standing chat calls between two users. */
  callsBetween(a: UserId, b: UserId): ReadonlySet<StandingCall>;
  /** Telephone calls (`plain`, `media`), each time one begins, is answered or ends; no chat calls. */
  readonly changes: Pick<Listeners<StandingCall>, 'add'>;
  /** Standing calls, those of other nodes included that devices of this one have to do with. */
  readonly size: number;
  /** Other nodes hear nothing more from this one. */
  close(): void;
}

export interface ExchangeParts {
  readonly conversations: Pick<Conversations, 'send' | 'typing'>;
  readonly peers: Peers;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly onTrouble: (error: unknown) => void;
  readonly answerTimeoutMs?: number;
  readonly idleReleaseMs?: number;
}

export function createExchange(parts: ExchangeParts): Exchange {
  const { clock, ids } = parts;
  const endpoints = new Map<UserId, Set<Endpoint>>();
  const lines = new Map<string, Terminal>();
  const changes = new Listeners<StandingCall>();
  const standing = new StandingCalls();
  const load = new Tally<EndpointId>();
  const speech = createSpeech(parts.conversations);
  const held = new Tally<EndpointId>();
  const idleReleaseMs = parts.idleReleaseMs ?? IDLE_RELEASE_MS;
  const remote = new Remote({
    peers: parts.peers,
    clock,
    ids,
    speech,
    held,
    idleReleaseMs,
    standing,
    devices: () => [...endpoints.values()].flatMap((own) => [...own]),
    deviceOf: (owner, id) => [...(endpoints.get(owner) ?? [])].find((device) => device.id === id),
    joined: (device) => join(device, (callee) => callee.user === device.owner),
    callHere,
    onTrouble: parts.onTrouble,
  });
  const host: CallHost = {
    clock,
    speech,
    answerTimeoutMs: parts.answerTimeoutMs ?? ANSWER_TIMEOUT_MS,
    idleReleaseMs,
    held,
    isHere: (terminal) => !(terminal instanceof RemoteDevice),
    stepped(call, before) {
      if (call.setup.kind !== 'chat' && call.state.phase !== before.phase) changes.emit(call);
      remote.stepped(call, before);
    },
    ended(call) {
      standing.delete(call);
      if (call.caller !== null) load.add(call.caller.id, -1);
      remote.ended(call);
    },
  };

  function begin(
    setup: Setup,
    caller: { readonly terminal: Terminal; readonly user: LegUser } | null,
    isTaken: boolean,
  ): Call {
    const call = new Call(host, setup, caller);
    standing.add(call);
    if (call.caller !== null) load.add(call.caller.id, 1);
    call.input({ type: 'start', forks: legsFor(call), isTaken }, []);
    remote.show(call);
    return call;
  }

  /** A chat call that takes texts of `caller` for `callee`, or will; where there is none the PBX starts one. */
  function callHere(caller: Party, callee: Party): StandingCall {
    const takes = ({ setup, state, callerEndpoint, winnerEndpoint }: StandingCall): boolean => {
      const isCalled = setup.callee.user === callee.user;
      // Where the PBX calls the other party, this one has no end.
      if (!isCalled && callerEndpoint === null) return false;
      return state.phase === 'offering' || !isCalled || winnerEndpoint !== null;
    };
    const found = [...standing.chats(caller.user, callee.user)].find(takes);
    return found ?? begin(setupOf('chat', caller, callee, []), null, false);
  }

  function terminalsOf({ user, number }: Party): readonly Terminal[] {
    const line = number === null ? undefined : lines.get(number);
    return [...(endpoints.get(user) ?? []), ...remote.devicesOf(user), ...(line === undefined ? [] : [line])];
  }

  function legsFor(call: Call): LegId[] {
    const legs: LegId[] = [];
    for (const endpoint of terminalsOf(call.setup.callee)) {
      if (endpoint === call.caller || !endpoint.takes(call.setup.kind)) continue;
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
    for (const call of standing) {
      if (!(call instanceof Call)) continue;
      const isOffered = call.state.phase === 'offering' && isCallee(call.setup.callee);
      if (!isOffered || call.caller === terminal || !terminal.takes(call.setup.kind)) continue;
      if (call.forks.size >= MAX_FORKS) continue;
      const leg = ids.guid() as LegId;
      call.addFork(leg, terminal);
      call.input({ type: 'join', leg }, []);
    }
  }

  /** Ends the terminal's part in every call. */
  function lose(endpoint: Terminal): void {
    for (const call of standing) if (call instanceof Call) call.lose(endpoint);
    remote.lose(endpoint);
  }

  return {
    changes,
    get size() {
      return standing.size;
    },
    endpointsOf: (user) => [...(endpoints.get(user) ?? [])],
    register(endpoint) {
      const own = endpoints.get(endpoint.owner) ?? new Set();
      if (own.size + remote.devicesOf(endpoint.owner).size >= MAX_ENDPOINTS_PER_USER)
        throw new Problem('too-many-devices', 'Too many devices are registered.', { retry: true });
      endpoints.set(endpoint.owner, own.add(endpoint));
      join(endpoint, (callee) => callee.user === endpoint.owner);
      remote.registered(endpoint);
      return () => {
        if (!own.delete(endpoint)) return;
        if (own.size === 0) endpoints.delete(endpoint.owner);
        lose(endpoint);
        remote.unregistered(endpoint);
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
      const setup = setupOf(kind, caller, partyOf(to), body);
      return begin(setup, { terminal: from, user }, isTaken).callerLeg(from);
    },
    callFor(caller, to) {
      const elsewhere = remote.callElsewhere(caller, to);
      return elsewhere === null ? callHere(caller, to) : elsewhere.then((call) => call ?? callHere(caller, to));
    },
    hasIt: (call, owner, endpoint) => call.hasHere(endpoint) || remote.hasThere(call, owner, endpoint),
    callsBetween: (a, b) => standing.chats(a, b),
    close: () => remote.close(),
  };
}

export function partyOf(user: User): Party {
  return { user: user.id, name: user.name, number: user.number, displayName: user.displayName };
}
