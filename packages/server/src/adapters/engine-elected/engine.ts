import {
  type CallEngine,
  type EngineAbilities,
  type EngineEvent,
  engineUnavailable,
  MAX_NUMBERS_PER_ENGINE,
  tooManyNumbers,
  type TransferTarget,
} from '../../core/calls/index.ts';
import type { Cluster, NodeId } from '../../core/cluster/index.ts';
import { type Clock, type Ids, type Json, Listeners, type Stop } from '../../kit/index.ts';
import { Holding } from './holding.ts';
import { Refs } from './refs.ts';
import { kindsOf, Remote } from './remote.ts';
import { type Command, decodeCommand, decodeListening, encodeStanding, NO_ABILITIES } from './wire.ts';

export interface ElectedEngineParts extends Cluster {
  /** The same on all nodes. */
  readonly name: string;
  /** Opens the engine itself; called when this node is to hold it. */
  readonly open: () => CallEngine;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: { warn(message: string, fields?: Readonly<Record<string, unknown>>): void };
}

/**
 * An engine that one node of the cluster holds, and all use. The holder alone reports its calls; which numbers, all nodes
 * say together. It lets go at once where its lease has run out, and before another one may begin where it drains.
 */
export function createElectedEngine(parts: ElectedEngineParts): CallEngine {
  return new ElectedEngine(parts);
}

class ElectedEngine implements CallEngine {
  readonly name: string;
  readonly givesIds = true;
  readonly #parts: ElectedEngineParts;
  readonly #events = new Listeners<EngineEvent>();
  readonly #numbers = new Set<string>();
  readonly #stops: readonly Stop[];
  #isMine = false;
  #holding: Holding | null = null;
  #remote: Remote | null = null;
  /** Opening and closing follow each other, so that there are never two connections of this node. */
  #turn: Promise<void> = Promise.resolve();
  #isOpen = true;

  constructor(parts: ElectedEngineParts) {
    this.#parts = parts;
    this.name = parts.name;
    const { peers, membership } = parts;
    const kinds = kindsOf(parts.name);
    this.#stops = [
      peers.answer(kinds.listen, (input, from) =>
        this.#serve(from, (held) => held.listen(from, decodeListening(input))),
      ),
      peers.answer(kinds.look, (_input, from) => this.#serve(from, () => undefined)),
      peers.answer(kinds.command, (input, from) => this.#perform(decodeCommand(input), from)),
      peers.hear(kinds.held, (_news, from) => this.#heldBy(from)),
      peers.down.add((node) => this.#holding?.forget(node)),
      membership.seek(`engine:${parts.name}`, (holder) => this.#changed(holder)),
    ];
  }

  get isConnected(): boolean {
    const { self } = this.#parts.peers;
    return this.#held?.standing(self).isConnected ?? this.#remote?.standing.isConnected ?? false;
  }

  get abilities(): EngineAbilities {
    const { self } = this.#parts.peers;
    return this.#holding?.standing(self).abilities ?? this.#remote?.standing.abilities ?? NO_ABILITIES;
  }

  onEvent(listener: (event: EngineEvent) => void): Stop {
    return this.#events.add(listener);
  }

  listen(number: string): void {
    if (!this.#isOpen || this.#numbers.has(number)) return;
    if (this.#numbers.size >= MAX_NUMBERS_PER_ENGINE) throw tooManyNumbers();
    this.#numbers.add(number);
    this.#holding?.listen(this.#parts.peers.self, { how: 'more', numbers: [number] });
    this.#remote?.listen(number);
  }

  unlisten(number: string): void {
    if (!this.#numbers.delete(number)) return;
    this.#holding?.listen(this.#parts.peers.self, { how: 'less', numbers: [number] });
    this.#remote?.unlisten(number);
  }

  dial({ from, to }: { readonly from: string; readonly to: string }): Promise<string | null> {
    return this.#command({ do: 'dial', from, to });
  }

  async answer(ref: string): Promise<void> {
    await this.#command({ do: 'answer', ref });
  }

  async hangup(ref: string): Promise<void> {
    await this.#command({ do: 'hangup', ref });
  }

  async hold(ref: string, on: boolean): Promise<void> {
    await this.#command({ do: 'hold', ref, on });
  }

  async transfer(ref: string, to: TransferTarget): Promise<void> {
    await this.#command({ do: 'transfer', ref, to });
  }

  async close(): Promise<void> {
    if (this.#isOpen) for (const stop of this.#stops) stop();
    this.#isOpen = false;
    this.#numbers.clear();
    await this.#changed(null);
  }

  /** The engine itself, as long as this node may use it. */
  get #held(): Holding | null {
    return this.#parts.membership.isLive ? this.#holding : null;
  }

  #command(command: Command): Promise<string | null> {
    if (this.#holding !== null) return this.#perform(command, this.#parts.peers.self);
    return this.#remote?.perform(command) ?? Promise.reject(engineUnavailable());
  }

  async #perform(command: Command, node: NodeId): Promise<string | null> {
    const held = this.#held;
    if (held === null) throw engineUnavailable();
    return held.perform(command, node);
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- what it throws is the answer
  async #serve(node: NodeId, act: (held: Holding) => void): Promise<Json> {
    const held = this.#held;
    if (held === null) throw engineUnavailable();
    act(held);
    return encodeStanding(held.standing(node));
  }

  /** Nodes learn of a change at different times: whoever knew it first was told that there is no holder yet. */
  #heldBy(node: NodeId): void {
    if (this.#remote?.holder === node) this.#remote.tellAll();
    else this.#parts.membership.refresh();
  }

  #changed(holder: NodeId | null): Promise<void> {
    const { peers, clock, name } = this.#parts;
    this.#isMine = this.#isOpen && holder === peers.self;
    this.#remote?.close();
    this.#remote =
      !this.#isOpen || holder === null || holder === peers.self
        ? null
        : new Remote({ holder, kinds: kindsOf(name), peers, clock, numbers: this.#numbers });
    const settle = (): Promise<void> => this.#settle();
    return (this.#turn = this.#turn.then(settle, settle));
  }

  async #settle(): Promise<void> {
    const { peers, clock, ids, log } = this.#parts;
    const held = this.#holding;
    if (held !== null && !this.#isMine) {
      this.#holding = null;
      await held.close();
    } else if (held === null && this.#isMine) {
      this.#holding = new Holding({
        engine: this.#parts.open(),
        refs: new Refs(clock, ids),
        emit: (event) => this.#events.emit(event),
        refused: ({ code }) => log.warn('a number is not listened to', { engine: this.name, reason: code }),
      });
      this.#holding.listen(peers.self, { how: 'from-now-on', numbers: [...this.#numbers] });
      peers.tell(kindsOf(this.name).held, null);
    }
  }
}
