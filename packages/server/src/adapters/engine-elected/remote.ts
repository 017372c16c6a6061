import { engineUnavailable, outcomeUnknown } from '../../core/calls/index.ts';
import type { NodeId, Peers } from '../../core/cluster/index.ts';
import { type Clock, every, type Json, Problem, type Timer } from '../../kit/index.ts';
import { type Command, decodeStanding, NO_ABILITIES, type Standing } from './wire.ts';

/** How often a node asks the holder how it stands: what was lost between them, and its connection, are known so soon. */
const LOOK_MS = 1_000;
/** The holder answers a look at once, or something is wrong. */
const LOOK_DEADLINE_MS = 5_000;
/**
 * The longest wait for a command. More than a lease: a holder that slept either answers within it or has lost its role when it
 * wakes, and does nothing. So what is told as failed is not done later (TM AP-23).
 */
const COMMAND_DEADLINE_MS = 12_000;
/** Numbers of one request: far from the longest that nodes send each other. */
const NUMBERS_AT_ONCE = 4_000;

/** Kinds of requests to the holder of the engine `name`. */
export interface Kinds {
  readonly listen: string;
  readonly look: string;
  readonly command: string;
  /** News: its teller holds the engine from now on. */
  readonly held: string;
}

export function kindsOf(name: string): Kinds {
  const kind = (what: string): string => `engine.${name}.${what}`;
  return { listen: kind('listen'), look: kind('look'), command: kind('command'), held: kind('held') };
}

export interface RemoteParts {
  readonly holder: NodeId;
  readonly kinds: Kinds;
  readonly peers: Peers;
  readonly clock: Clock;
  /** What this node listens to, as it changes. */
  readonly numbers: ReadonlySet<string>;
}

/**
 * The engine on another node. Requests arrive there in the order in which they are made here, so what is told of a number now
 * follows what was told before. What fails is made good by telling everything again.
 */
export class Remote {
  readonly holder: NodeId;
  readonly #parts: RemoteParts;
  readonly #timer: Timer;
  /** The holder knows every number, once it has what is under way. */
  #isTold = false;
  standing: Standing = { isConnected: false, abilities: NO_ABILITIES, numbers: 0 };

  constructor(parts: RemoteParts) {
    this.#parts = parts;
    this.holder = parts.holder;
    this.#timer = every(parts.clock, LOOK_MS, () => this.#look());
    this.tellAll();
  }

  listen(number: string): void {
    if (this.#isTold) this.#tell({ how: 'more', numbers: [number] });
  }

  unlisten(number: string): void {
    if (this.#isTold) this.#tell({ how: 'less', numbers: [number] });
  }

  /** @throws engine-unavailable | outcome-unknown | what the holder throws */
  async perform(command: Command): Promise<string | null> {
    const { holder, kinds, peers } = this.#parts;
    if (!peers.others.has(holder)) throw engineUnavailable();
    try {
      const ref = await peers.ask(holder, kinds.command, command, COMMAND_DEADLINE_MS);
      return typeof ref === 'string' ? ref : null;
    } catch (error) {
      throw commandProblem(error);
    }
  }

  close(): void {
    this.#timer.cancel();
  }

  /** The holder knows nothing, or not all. */
  tellAll(): void {
    this.#isTold = true;
    const numbers = [...this.#parts.numbers];
    this.#tell({ how: 'from-now-on', numbers: numbers.slice(0, NUMBERS_AT_ONCE) });
    for (let at = NUMBERS_AT_ONCE; at < numbers.length; at += NUMBERS_AT_ONCE)
      this.#tell({ how: 'more', numbers: numbers.slice(at, at + NUMBERS_AT_ONCE) });
  }

  #look(): void {
    if (!this.#isTold) return this.tellAll();
    const known = this.#parts.numbers.size;
    void this.#ask(this.#parts.kinds.look, null).then((standing) => {
      if (standing !== null && standing.numbers !== known) this.#isTold = false;
    });
  }

  #tell(listening: { readonly how: string; readonly numbers: readonly string[] }): void {
    void this.#ask(this.#parts.kinds.listen, listening).then((standing) => {
      if (standing === null) this.#isTold = false;
    });
  }

  /** Null: the holder can't be reached, or is none. */
  async #ask(kind: string, input: Json): Promise<Standing | null> {
    const { holder, peers } = this.#parts;
    try {
      this.standing = decodeStanding(await peers.ask(holder, kind, input, LOOK_DEADLINE_MS));
      return this.standing;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.standing = { ...this.standing, isConnected: false };
      return null;
    }
  }
}

/** Problems between the nodes, as the asker of a command must know them: was it done or not. */
function commandProblem(error: unknown): unknown {
  if (!(error instanceof Problem)) return error;
  switch (error.code) {
    case 'peer-busy':
    case 'peer-unknown-request':
    case 'too-large':
      return engineUnavailable();
    case 'peer-down':
    case 'peer-timeout':
    // The holder has failed in the middle of it.
    case 'failure':
      return outcomeUnknown();
    default:
      return error;
  }
}
