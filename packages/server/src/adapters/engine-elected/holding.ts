import {
  type CallEngine,
  type EngineEvent,
  noSuchCall,
  notSupported,
  type TransferTarget,
} from '../../core/calls/index.ts';
import type { NodeId } from '../../core/cluster/index.ts';
import { Problem } from '../../kit/index.ts';
import type { Refs } from './refs.ts';
import type { Command, Listening, Standing } from './wire.ts';

export interface HoldingParts {
  readonly engine: CallEngine;
  readonly refs: Refs;
  readonly emit: (event: EngineEvent) => void;
  /** The engine takes no more numbers. */
  readonly refused: (problem: Problem) => void;
}

/** The engine itself, while this node has it: it listens to what any node listens to, and does what any node asks for. */
export class Holding {
  readonly #parts: HoldingParts;
  readonly #nodesOf = new Map<string, Set<NodeId>>();
  readonly #numbersOf = new Map<NodeId, Set<string>>();

  constructor(parts: HoldingParts) {
    this.#parts = parts;
    const { engine, refs, emit } = parts;
    engine.onEvent((event) => {
      emit({ ...event, ref: refs.outer(event.ref) });
      if (event.state === 'ended') refs.forget(event.ref);
    });
  }

  standing(node: NodeId): Standing {
    const { isConnected, abilities } = this.#parts.engine;
    return { isConnected, abilities, numbers: this.#numbersOf.get(node)?.size ?? 0 };
  }

  listen(node: NodeId, { how, numbers }: Listening): void {
    if (how === 'less') return this.#leave(node, numbers);
    const before = this.#numbersOf.get(node);
    if (how === 'from-now-on' && before !== undefined) {
      const now = new Set(numbers);
      this.#leave(
        node,
        [...before].filter((number) => !now.has(number)),
      );
    }
    this.#join(node, numbers);
  }

  /** The node has gone: it listens to nothing. */
  forget(node: NodeId): void {
    this.#leave(node, [...(this.#numbersOf.get(node) ?? [])]);
  }

  /** @throws what the engine throws */
  async perform(command: Command, node: NodeId): Promise<string | null> {
    const { engine, refs } = this.#parts;
    if (command.do !== 'dial' && !engine.abilities[command.do]) throw notSupported(command.do);
    switch (command.do) {
      case 'dial': {
        // Some engines dial only from numbers that they listen to, and the asker listens to this one.
        this.#join(node, [command.from]);
        const ref = await engine.dial(command);
        return ref === null ? null : refs.outer(ref);
      }
      case 'answer':
      case 'hangup':
        await engine[command.do](this.#inner(command.ref));
        return null;
      case 'hold':
        await engine.hold(this.#inner(command.ref), command.on);
        return null;
      case 'transfer':
        await engine.transfer(this.#inner(command.ref), this.#target(command.to));
        return null;
    }
  }

  /** The engine ends its connection, and says of the calls that it loses sight of that they are lost. */
  close(): Promise<void> {
    return this.#parts.engine.close();
  }

  #join(node: NodeId, numbers: readonly string[]): void {
    const own = this.#numbersOf.get(node) ?? new Set();
    this.#numbersOf.set(node, own);
    for (const number of numbers) {
      own.add(number);
      const nodes = this.#nodesOf.get(number) ?? new Set();
      this.#nodesOf.set(number, nodes.add(node));
      if (nodes.size === 1) this.#begin(number);
    }
  }

  #begin(number: string): void {
    try {
      this.#parts.engine.listen(number);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.#parts.refused(error);
    }
  }

  #leave(node: NodeId, numbers: readonly string[]): void {
    const own = this.#numbersOf.get(node);
    for (const number of numbers) {
      if (own?.delete(number) !== true) continue;
      const nodes = this.#nodesOf.get(number);
      nodes?.delete(node);
      if (nodes?.size !== 0) continue;
      this.#nodesOf.delete(number);
      this.#parts.engine.unlisten(number);
    }
    if (own?.size === 0) this.#numbersOf.delete(node);
  }

  #target(to: TransferTarget): TransferTarget {
    return 'number' in to ? to : { ref: this.#inner(to.ref) };
  }

  #inner(ref: string): string {
    const inner = this.#parts.refs.inner(ref);
    if (inner === undefined) throw noSuchCall();
    return inner;
  }
}
