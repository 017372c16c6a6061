import { NoRespondersError, RequestError, type Msg, type Subscription, TimeoutError } from '@nats-io/transport-node';
import { MAX_PEER_BYTES, MAX_PEER_REQUESTS, type NodeId, type Peers } from '../../core/index.ts';
import {
  type Clock,
  every,
  type Ids,
  type Json,
  Listeners,
  Problem,
  reasonOf,
  type Stop,
  type Timer,
} from '../../kit/index.ts';
import type { BusLog, Link } from './bus.ts';
import { subscribe } from './subscribe.ts';
import { decodeAnswer, decodeRequest, encodeAnswer, encodeProblem, encodeRequest } from './wire.ts';

/** How often a node says that it is there. */
export const HEARTBEAT_MS = 1_000;
/** A node that has said nothing for so long is gone. */
export const SILENCE_MS = 3_500;

type Handler = (input: Json, from: NodeId) => Promise<Json>;
type Hearer = (input: Json, from: NodeId) => void;

export interface NatsPeersParts {
  readonly link: Link;
  readonly cluster: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: BusLog;
}

/** Requests over NATS; who is there is known by heartbeats. While NATS is away nobody is declared gone: nothing is known. */
export class NatsPeers implements Peers {
  readonly self: NodeId;
  readonly up = new Listeners<NodeId>();
  readonly down = new Listeners<NodeId>();
  readonly #parts: NatsPeersParts;
  readonly #heard = new Map<NodeId, number>();
  readonly #handlers = new Map<string, Handler>();
  readonly #hearers = new Map<string, Hearer>();
  readonly #waiting = new Map<NodeId, Set<(problem: Problem) => void>>();
  readonly #subscriptions: readonly Subscription[];
  readonly #beat: Timer;
  #underWay = 0;
  #isOpen = true;

  constructor(parts: NatsPeersParts) {
    const { link, cluster, clock, ids, log } = parts;
    this.#parts = parts;
    this.self = ids.guid() as NodeId;
    const on = (subject: string, take: (message: Msg) => void): Subscription =>
      subscribe({ nats: link.nats, log }, subject, take);
    this.#subscriptions = [
      on(`${cluster}.node.${this.self}`, (message) => void this.#answer(message)),
      on(`${cluster}.told`, (message) => this.#news(message)),
      on(`${cluster}.here`, (message) => this.#here(message.string() as NodeId)),
      on(`${cluster}.asks`, () => this.#sayHere()),
      on(`${cluster}.gone`, (message) => this.#gone(message.string() as NodeId)),
    ];
    this.#sayHere();
    link.nats.publish(`${cluster}.asks`);
    this.#beat = every(clock, HEARTBEAT_MS, () => this.#onBeat());
  }

  get others(): ReadonlySet<NodeId> {
    return new Set(this.#heard.keys());
  }

  async ask(node: NodeId, kind: string, input: Json, deadlineMs: number): Promise<Json> {
    const text = encodeRequest({ kind, from: this.self, input });
    if (Buffer.byteLength(text) > MAX_PEER_BYTES) throw tooLarge();
    if (!this.#isOpen || !this.#parts.link.isUp || !this.#heard.has(node)) throw peerDown(node);
    if (this.#underWay >= MAX_PEER_REQUESTS) throw new Problem('peer-busy', 'Too many requests wait.', { retry: true });
    const { nats } = this.#parts.link;
    const { promise: failed, reject } = Promise.withResolvers<never>();
    const waiting = this.#waiting.get(node) ?? new Set();
    this.#waiting.set(node, waiting.add(reject));
    this.#underWay++;
    try {
      const request = nats.request(`${this.#parts.cluster}.node.${node}`, text, { timeout: deadlineMs });
      return decodeAnswer((await Promise.race([request, failed])).string());
    } catch (error) {
      throw problemOfRequest(error, node);
    } finally {
      this.#underWay--;
      waiting.delete(reject);
    }
  }

  answer(kind: string, handler: Handler): Stop {
    return register(this.#handlers, kind, handler);
  }

  tell(kind: string, input: Json): void {
    const text = encodeRequest({ kind, from: this.self, input });
    if (Buffer.byteLength(text) > MAX_PEER_BYTES) throw tooLarge();
    if (this.#isOpen && this.#parts.link.isUp) this.#parts.link.nats.publish(`${this.#parts.cluster}.told`, text);
  }

  hear(kind: string, handler: Hearer): Stop {
    return register(this.#hearers, kind, handler);
  }

  /** NATS went away or came back. Everybody gets time to be heard again. */
  linkChanged(isUp: boolean): void {
    if (!isUp) {
      for (const node of this.#waiting.keys()) this.#fail(node);
      return;
    }
    const now = this.#parts.clock.now();
    for (const node of this.#heard.keys()) this.#heard.set(node, now);
    this.#sayHere();
    this.#parts.link.nats.publish(`${this.#parts.cluster}.asks`);
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#beat.cancel();
    for (const node of this.#waiting.keys()) this.#fail(node);
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    this.#heard.clear();
    if (!this.#parts.link.isUp) return;
    this.#parts.link.nats.publish(`${this.#parts.cluster}.gone`, this.self);
    await this.#parts.link.nats.flush();
  }

  async #answer(message: Msg): Promise<void> {
    const request = decodeRequest(message.string());
    if (request === undefined) return;
    try {
      const handler = this.#handlers.get(request.kind);
      if (handler === undefined)
        throw new Problem('peer-unknown-request', 'The node does not know this.', { subject: request.kind });
      const text = encodeAnswer(await handler(request.input, request.from as NodeId));
      if (Buffer.byteLength(text) > MAX_PEER_BYTES) throw tooLarge();
      this.#respond(message, text);
    } catch (error) {
      if (!(error instanceof Problem))
        this.#parts.log.warn('bus.request-failed', { kind: request.kind, reason: reasonOf(error) });
      this.#respond(message, encodeProblem(error));
    }
  }

  #news(message: Msg): void {
    const told = decodeRequest(message.string());
    if (told === undefined || !this.#heard.has(told.from as NodeId)) return;
    try {
      this.#hearers.get(told.kind)?.(told.input, told.from as NodeId);
    } catch (error) {
      this.#parts.log.warn('bus.news-failed', { kind: told.kind, reason: reasonOf(error) });
    }
  }

  /** After the end there is nobody to answer: the asker has been told that this node is gone. */
  #respond(message: Msg, text: string): void {
    if (!this.#parts.link.nats.isClosed()) message.respond(text);
  }

  #onBeat(): void {
    if (!this.#parts.link.isUp) return;
    this.#sayHere();
    const oldest = this.#parts.clock.now() - SILENCE_MS;
    for (const [node, at] of this.#heard) if (at < oldest) this.#gone(node);
  }

  #sayHere(): void {
    if (this.#isOpen && this.#parts.link.isUp) this.#parts.link.nats.publish(`${this.#parts.cluster}.here`, this.self);
  }

  #here(node: NodeId): void {
    if (node === this.self || !this.#isOpen) return;
    const isNew = !this.#heard.has(node);
    this.#heard.set(node, this.#parts.clock.now());
    if (!isNew) return;
    this.#sayHere();
    this.up.emit(node);
  }

  #gone(node: NodeId): void {
    if (!this.#heard.delete(node)) return;
    this.#fail(node);
    this.down.emit(node);
  }

  #fail(node: NodeId): void {
    for (const reject of this.#waiting.get(node) ?? []) reject(peerDown(node));
    this.#waiting.delete(node);
  }
}

function register<H>(handlers: Map<string, H>, kind: string, handler: H): Stop {
  if (handlers.has(kind)) throw new Error(`${kind} has a handler already.`);
  handlers.set(kind, handler);
  return () => {
    if (handlers.get(kind) === handler) handlers.delete(kind);
  };
}

function peerDown(node: NodeId): Problem {
  return new Problem('peer-down', 'The node is not there.', { retry: true, subject: node });
}

function tooLarge(): Problem {
  return new Problem('too-large', `Requests between nodes have at most ${MAX_PEER_BYTES} bytes.`);
}

function problemOfRequest(error: unknown, node: NodeId): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof TimeoutError)
    return new Problem('peer-timeout', 'The node has not answered in time.', { retry: true, subject: node });
  if (error instanceof NoRespondersError || error instanceof RequestError) return peerDown(node);
  return new Problem('peer-down', 'The bus has failed.', { retry: true, subject: node, cause: error });
}
