import { type Clock, type Ids, unreachable } from '../../../kit/index.ts';
import { type NodeId, ownerOf, type Peers } from '../../cluster/index.ts';
import { directConversation } from '../../conversations/index.ts';
import type { UserId } from '../../journal/index.ts';
import { Call } from '../call.ts';
import type { CallState } from '../call-machine.ts';
import { CAUSE, type CallKind, type ConferenceId, type EndpointId, type LegId, type Party } from '../model.ts';
import type { Endpoint, Leg, Terminal } from '../ports.ts';
import type { Speech } from '../speech.ts';
import type { StandingCall } from '../standing-call.ts';
import type { StandingCalls } from '../standing-calls.ts';
import type { Tally } from '../tally.ts';
import { Audience } from './audience.ts';
import { RemoteDevice } from './device.ts';
import { RemoteDevices } from './devices.ts';
import { Links } from './links.ts';
import type { Message } from './messages.ts';
import { Mirror } from './mirror.ts';
import { Mirrors } from './mirrors.ts';
import { Wants } from './wants.ts';

export interface RemoteParts {
  readonly peers: Peers;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly speech: Speech;
  readonly held: Tally<EndpointId>;
  readonly idleReleaseMs: number;
  readonly standing: StandingCalls;
  /** Devices of this node. */
  readonly devices: () => Iterable<Endpoint>;
  readonly deviceOf: (owner: UserId, id: EndpointId) => Endpoint | undefined;
  /** A device has registered on another node. */
  readonly joined: (device: RemoteDevice) => void;
  /** A call of this node, or known to it, that takes texts of `caller` for `callee`. */
  readonly callHere: (caller: Party, callee: Party) => StandingCall;
  readonly onTrouble: (error: unknown) => void;
}

const KINDS: readonly CallKind[] = ['chat', 'plain', 'media'];

/**
 * The exchange as the exchanges of other nodes see it, and they by it. Each tells the others its devices, and those that have
 * devices of a call's parties of that call. A call has one owner, the node of its caller; there it is decided who has it. A node
 * that is alone pays nothing.
 */
export class Remote {
  readonly #parts: RemoteParts;
  readonly #devices = new RemoteDevices();
  readonly #mirrors: Mirrors;
  /** Who has been told of calls of this node. */
  readonly #audience = new Audience();
  readonly #wants: Wants<ConferenceId>;
  readonly #asks: Wants<boolean>;
  readonly #links: Links;

  constructor(parts: RemoteParts) {
    this.#parts = parts;
    this.#wants = new Wants(parts.ids, parts.clock);
    this.#asks = new Wants(parts.ids, parts.clock);
    this.#mirrors = new Mirrors({ ...parts, tell: (owner, message) => this.#links.tell(owner, message) });
    this.#links = new Links({
      ...parts,
      beginning: (node) => this.#beginning(node),
      broken: (node) => this.#broken(node),
      begins: (node) => this.#begins(node),
      apply: (message, from) => this.#apply(message, from),
    });
  }

  devicesOf(user: UserId): ReadonlySet<RemoteDevice> {
    return this.#devices.of(user);
  }

  registered(device: Endpoint): void {
    this.#links.tellAll(deviceMessage(device));
  }

  /** After its part in the calls of this node has ended. */
  unregistered({ id }: Endpoint): void {
    this.#links.tellAll({ say: 'device-gone', endpoint: id });
  }

  /** Ends the terminal's part in the calls of other nodes. */
  lose(terminal: Terminal): void {
    this.#mirrors.lose(terminal);
  }

  // Calls of this node.

  /** Tells nodes of a chat that have devices of its parties: texts must not make these be called besides. */
  show(call: Call): void {
    const { kind, caller, callee } = call.setup;
    if (kind !== 'chat') return;
    for (const party of [caller, callee]) for (const node of this.#devices.nodesOf(party.user)) this.#show(call, node);
  }

  stepped(call: Call, before: CallState): void {
    const { state } = call;
    if (state.phase === 'ended') return;
    const isNews =
      state.phase !== before.phase || state.isAnswered !== before.isAnswered || state.winner !== before.winner;
    const { conference } = call.setup;
    if (isNews)
      for (const node of this.#audience.of(conference))
        this.#links.tell(node, { say: 'state', conference, ...stateOf(call) });
  }

  ended({ setup: { conference }, cause }: Call): void {
    for (const node of this.#audience.of(conference))
      this.#links.tell(node, { say: 'ended', conference, cause: cause ?? CAUSE.normal });
    this.#audience.delete(conference);
  }

  /**
   * Which call takes texts of `caller` for `callee`, whose devices are on several nodes, is for one of these nodes to say. Null:
   * for this one. Resolves with null where the other could not be asked, or its call has ended meanwhile.
   */
  callElsewhere(caller: Party, callee: Party): Promise<StandingCall | null> | null {
    const nodes = this.#devices.nodesOf(callee.user);
    if (nodes.size === 0) return null;
    const { peers, standing } = this.#parts;
    const node = ownerOf(directConversation(caller.user, callee.user), [peers.self, ...nodes]);
    if (node === null || node === peers.self) return null;
    return this.#wants
      .ask(node, (ask) => this.#links.tell(node, { say: 'want', ask, caller, callee }))
      .then((conference) => (conference === null ? null : (standing.get(conference) ?? null)));
  }

  /** Whether the device of `owner` has its end of the call still, as its node says; false too where that can't be asked. */
  async hasThere(call: StandingCall, owner: UserId, endpoint: EndpointId): Promise<boolean> {
    const device = [...this.#devices.of(owner)].find(({ id }) => id === endpoint);
    const node = device?.node ?? (call instanceof Mirror ? call.owner : null);
    if (node === null) return false;
    const { conference } = call.setup;
    const answer = this.#asks.ask(node, (ask) => this.#links.tell(node, { say: 'has-it', ask, conference, endpoint }));
    return (await answer) ?? false;
  }

  close(): void {
    this.#links.close();
    this.#wants.close();
    this.#asks.close();
  }

  // Nodes.

  #beginning(node: NodeId): readonly Message[] {
    const calls = this.#chatsWith(this.#devices.on(node)).filter((call) => this.#joins(node, call));
    return [...[...this.#parts.devices()].map(deviceMessage), ...calls.map((call) => callMessage(call, null))];
  }

  #broken(node: NodeId): void {
    this.#audience.leave(node);
    for (const device of this.#devices.on(node)) device.lose();
    this.#mirrors.end(node);
    this.#wants.giveUp(node);
    this.#asks.giveUp(node);
  }

  /** What the node was told it may have lost, too: that begins anew with its devices. */
  #begins(node: NodeId): void {
    for (const conference of this.#audience.leave(node))
      this.#links.tell(node, { say: 'ended', conference, cause: CAUSE.lost });
    for (const device of this.#devices.on(node)) this.#deviceGone(node, device.id);
    this.#mirrors.end(node);
    this.#wants.giveUp(node);
    this.#asks.giveUp(node);
  }

  // What other nodes tell.

  #apply(message: Message, from: NodeId): void {
    switch (message.say) {
      case 'device':
        return this.#device(from, message);
      case 'device-gone':
        return this.#deviceGone(from, message.endpoint);
      case 'call':
        return this.#mirrors.take(from, message);
      case 'state':
        return this.#mirrors.of(from, message)?.follow(message);
      case 'ended':
        return this.#mirrors.of(from, message)?.end(message.cause);
      case 'released':
        return this.#mirrors.of(from, message)?.released(message.leg, message.cause, message.body);
      case 'relayed':
        return this.#mirrors.of(from, message)?.relayed(message.leg, message.body);
      case 'alert':
      case 'connect':
      case 'relay':
        return this.#deviceIn(from, message)?.legOf(message.leg)?.[message.say](message.body);
      case 'release':
        return this.#deviceIn(from, message)?.released(message.leg, message.cause, message.body);
      case 'hang-up':
        return this.#own(message.conference)?.hangUp(message.cause);
      case 'want':
        return this.#wanted(from, message);
      case 'found':
        return this.#wants.answer(message.ask, message.conference);
      case 'has-it':
        return this.#asked(from, message);
      case 'has':
        return this.#asks.answer(message.ask, message.hasIt);
      default:
        return unreachable(message);
    }
  }

  #device(from: NodeId, message: Message<'device'>): void {
    const device = new RemoteDevice(
      {
        offer: (to, leg) => this.#offer(to, leg),
        tell: (node, told) => this.#links.tell(node, told),
      },
      from,
      message,
    );
    if (!this.#devices.add(device)) return;
    this.#parts.joined(device);
    for (const call of this.#chatsWith([device])) this.#show(call, from);
  }

  #deviceGone(from: NodeId, id: EndpointId): void {
    this.#devices.take(from, id)?.lose();
  }

  #wanted(from: NodeId, { ask, caller, callee }: Message<'want'>): void {
    const call = this.#parts.callHere(caller, callee);
    if (call instanceof Call) this.#show(call, from);
    this.#links.tell(from, { say: 'found', ask, conference: call.setup.conference });
  }

  #asked(from: NodeId, { ask, conference, endpoint }: Message<'has-it'>): void {
    const hasIt = this.#parts.standing.get(conference)?.hasHere(endpoint) ?? false;
    this.#links.tell(from, { say: 'has', ask, hasIt });
  }

  #offer(device: RemoteDevice, leg: Leg): void {
    const { conference, leg: id, body } = leg.setup;
    const call = this.#own(conference);
    if (call === undefined) return;
    this.#links.tell(device.node, callMessage(call, { leg: id, endpoint: device.id, body: [...body] }));
    this.#joins(device.node, call);
  }

  #show(call: Call, node: NodeId): void {
    if (call.state.phase !== 'ended' && this.#joins(node, call)) this.#links.tell(node, callMessage(call, null));
  }

  /** From now on the node is told of this call. False: it was before. */
  #joins(node: NodeId, { setup }: Call): boolean {
    return this.#audience.add(setup.conference, node);
  }

  #chatsWith(devices: readonly RemoteDevice[]): readonly Call[] {
    const owners = new Set(devices.map(({ owner }) => owner));
    const concerns = ({ kind, caller, callee }: Call['setup']): boolean =>
      kind === 'chat' && (owners.has(caller.user) || owners.has(callee.user));
    return owners.size === 0
      ? []
      : [...this.#parts.standing].filter((call) => call instanceof Call).filter((call) => concerns(call.setup));
  }

  #own(conference: ConferenceId): Call | undefined {
    const call = this.#parts.standing.get(conference);
    return call instanceof Call ? call : undefined;
  }

  #deviceIn(from: NodeId, of: { readonly conference: ConferenceId; readonly leg: LegId }): RemoteDevice | undefined {
    const device = this.#own(of.conference)?.forks.get(of.leg)?.endpoint;
    return device instanceof RemoteDevice && device.node === from ? device : undefined;
  }
}

function deviceMessage(device: Endpoint): Message<'device'> {
  const { id, owner } = device;
  return { say: 'device', endpoint: id, owner, kinds: KINDS.filter((kind) => device.takes(kind)) };
}

function callMessage(call: Call, offer: Message<'call'>['offer']): Message<'call'> {
  const { conference, leg, kind, caller, callee } = call.setup;
  const { callerEndpoint } = call;
  return { say: 'call', conference, leg, kind, caller, callee, callerEndpoint, ...stateOf(call), offer };
}

function stateOf({ state, winnerEndpoint }: Call): Omit<Message<'state'>, 'say' | 'conference'> {
  const phase = state.phase === 'connected' ? 'connected' : 'offering';
  return { phase, isAnswered: state.isAnswered, winner: winnerEndpoint };
}
