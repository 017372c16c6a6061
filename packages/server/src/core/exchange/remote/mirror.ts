import { type Clock, deferred, problemOf, type Timer } from '../../../kit/index.ts';
import type { NodeId } from '../../cluster/index.ts';
import { directConversation } from '../../conversations/index.ts';
import type { CallState } from '../call-machine.ts';
import { EarlyTexts } from '../early-texts.ts';
import { CAUSE, type Cause, type EndpointId, type LegId, type Opaque, type Setup } from '../model.ts';
import type { Leg, LegText, LegUser, Terminal } from '../ports.ts';
import type { Speaker, Speech } from '../speech.ts';
import type { StandingCall } from '../standing-call.ts';
import type { Tally } from '../tally.ts';
import type { Message } from './messages.ts';

/** What a mirror needs of its exchange. */
export interface MirrorHost {
  readonly clock: Clock;
  readonly speech: Speech;
  readonly idleReleaseMs: number;
  readonly held: Tally<EndpointId>;
  /** Tells the owner of the call. @throws too-large */
  tell(message: Message): void;
  ended(mirror: Mirror): void;
}

/** Its owner ends the leg of a device that has not answered in time with one of these. */
const TIMED_OUT: ReadonlySet<Cause> = new Set([CAUSE.noReaction, CAUSE.noAnswer, CAUSE.timer]);

interface Fork {
  readonly endpoint: Terminal;
  readonly early: EarlyTexts;
  user: LegUser | null;
  /** The device has accepted; whether it has the call is the owner's to say. */
  isConnecting: boolean;
}

/**
 * A call that another node owns, on a node that has devices of its parties. Who has the call is decided there. What is said goes
 * to the conversation from here, and texts are shown from here: neither travels with the call.
 */
export class Mirror implements StandingCall {
  readonly setup: Setup;
  readonly owner: NodeId;
  readonly callerEndpoint: EndpointId | null;
  /** The caller's part is on its own node. */
  readonly callerUser = null;
  readonly #host: MirrorHost;
  readonly #forks = new Map<LegId, Fork>();
  readonly #offered = new Set<EndpointId>();
  readonly #refused = new Set<EndpointId>();
  readonly #settled = deferred<EndpointId | null>();
  #idle: Timer | null = null;
  state: Pick<CallState, 'phase' | 'isAnswered'>;
  winnerEndpoint: EndpointId | null = null;
  cause: Cause | null = null;

  constructor(host: MirrorHost, owner: NodeId, call: Message<'call'>) {
    const { conference, leg, kind, caller, callee, phase, isAnswered } = call;
    this.#host = host;
    this.owner = owner;
    const conversation = directConversation(caller.user, callee.user);
    this.setup = { conference, leg, kind, caller, callee, conversation, body: [] };
    this.callerEndpoint = call.callerEndpoint;
    this.state = { phase, isAnswered };
  }

  get winnerUser(): LegUser | null {
    return this.#winner?.user ?? null;
  }

  get settled(): Promise<EndpointId | null> {
    return this.#settled.promise;
  }

  get #winner(): Fork | undefined {
    return [...this.#forks.values()].find(({ endpoint }) => endpoint.id === this.winnerEndpoint);
  }

  wasOffered(endpoint: EndpointId): boolean {
    return this.#offered.has(endpoint);
  }

  hasHere(endpoint: EndpointId): boolean {
    return this.#winner?.endpoint.id === endpoint;
  }

  hasRefused(endpoint: EndpointId): boolean {
    return this.#refused.has(endpoint);
  }

  /** The idle time of a call that the PBX started runs where the winner is, so that its texts need not be told. */
  touch(): void {
    if (this.callerEndpoint !== null || this.cause !== null || this.#winner === undefined) return;
    this.#idle?.cancel();
    this.#idle = this.#host.clock.after(this.#host.idleReleaseMs, () => this.hangUp(CAUSE.normal));
  }

  hangUp(cause: Cause): void {
    if (this.cause === null) this.#host.tell({ say: 'hang-up', conference: this.setup.conference, cause });
  }

  // What the owner tells.

  offer(leg: LegId, endpoint: Terminal, body: readonly Opaque[]): void {
    const early = new EarlyTexts(endpoint.id, this.#host.held);
    const fork: Fork = { endpoint, early, user: null, isConnecting: false };
    this.#forks.set(leg, fork);
    this.#offered.add(endpoint.id);
    fork.user = endpoint.offer(this.#legOf(leg, fork, body));
  }

  follow({ phase, isAnswered, winner }: Omit<Message<'state'>, 'say' | 'conference'>): void {
    this.state = { phase, isAnswered };
    if (phase !== 'connected') return;
    this.winnerEndpoint = winner;
    this.#settled.resolve(winner);
    const won = this.#winner;
    if (won === undefined) return;
    this.touch();
    for (const text of won.early.take()) this.#say(won, text);
  }

  released(leg: LegId, cause: Cause, body: readonly Opaque[]): void {
    const fork = this.#forget(leg);
    if (fork !== undefined && TIMED_OUT.has(cause)) this.#refused.add(fork.endpoint.id);
    fork?.user?.released(cause, body);
  }

  relayed(leg: LegId, body: readonly Opaque[]): void {
    this.#forks.get(leg)?.user?.relayed(body);
  }

  /** It is over for everybody who still has a part in it. */
  end(cause: Cause): void {
    if (this.cause !== null) return;
    this.cause = cause;
    this.state = { ...this.state, phase: 'ended' };
    this.#idle?.cancel();
    this.#host.ended(this);
    for (const leg of [...this.#forks.keys()]) this.released(leg, cause, []);
    this.#settled.resolve(null);
  }

  /** The terminal has gone. */
  lose(endpoint: Terminal): void {
    for (const [leg, fork] of this.#forks) if (fork.endpoint === endpoint) this.#release(leg, CAUSE.lost, []);
  }

  // What a device of this node does.

  #legOf(leg: LegId, fork: Fork, body: readonly Opaque[]): Leg {
    const { conference } = this.setup;
    const isHere = (): boolean => this.#forks.get(leg) === fork;
    const isWinner = (): boolean => isHere() && this.#winner === fork;
    const tell = (say: 'alert' | 'connect' | 'relay', content: readonly Opaque[]): void => {
      if (isHere()) this.#tellOf(leg, { say, conference, leg, body: [...content] });
    };
    return {
      setup: { ...this.setup, leg, body },
      alert: (content) => tell('alert', content),
      connect(content) {
        fork.isConnecting = true;
        tell('connect', content);
      },
      release: (cause, content) => this.#release(leg, cause, content),
      relay: (content) => tell('relay', content),
      text: (text) => isHere() && this.#text(leg, fork, text),
      chatState: (state) => isWinner() && this.#host.speech.chatState(this.#speaker(fork), state),
    };
  }

  #text(leg: LegId, fork: Fork, text: LegText): void {
    if (this.#winner === fork) return this.#say(fork, text);
    if (!fork.isConnecting || this.winnerEndpoint !== null || fork.early.push(text)) return;
    this.#break(leg, CAUSE.protocol);
  }

  #release(leg: LegId, cause: Cause, body: readonly Opaque[]): void {
    const fork = this.#forget(leg);
    if (fork === undefined) return;
    this.#refused.add(fork.endpoint.id);
    this.#tellOf(leg, { say: 'release', conference: this.setup.conference, leg, cause, body: [...body] });
  }

  /** Ends a leg at both sides. */
  #break(leg: LegId, cause: Cause): void {
    const user = this.#forks.get(leg)?.user;
    this.#release(leg, cause, []);
    user?.released(cause, []);
  }

  /** What is too much for another node ends the leg. */
  #tellOf(leg: LegId, message: Message<'alert' | 'connect' | 'relay' | 'release'>): void {
    try {
      this.#host.tell(message);
    } catch (error) {
      problemOf(error);
      if (message.say === 'release') this.#host.tell({ ...message, body: [] });
      else this.#break(leg, CAUSE.protocol);
    }
  }

  #forget(leg: LegId): Fork | undefined {
    const fork = this.#forks.get(leg);
    if (fork === undefined) return undefined;
    if (this.#winner === fork) this.#idle?.cancel();
    this.#forks.delete(leg);
    fork.early.take();
    return fork;
  }

  #say(fork: Fork, text: LegText): void {
    this.touch();
    this.#host.speech.text(this.#speaker(fork), text);
  }

  #speaker({ endpoint, user }: Fork): Speaker {
    return { terminal: endpoint, user, from: this.setup.callee, to: this.setup.caller };
  }
}
