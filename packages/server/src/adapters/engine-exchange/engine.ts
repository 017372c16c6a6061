import {
  type CallEngine,
  callRefused,
  type EngineAbilities,
  type EngineEvent,
  engineUnavailable,
  MAX_NUMBERS_PER_ENGINE,
  noSuchCall,
  notSupported,
  tooManyNumbers,
  wrongState,
} from '../../core/calls/index.ts';
import type { Directory, User } from '../../core/directory/index.ts';
import { CAUSE, type Exchange, partyOf, type StandingCall } from '../../core/exchange/index.ts';
import { type Clock, Listeners, Problem, type Stop, type Timer } from '../../kit/index.ts';
import { Line } from './line.ts';
import { refsOf, reportsOf } from './report.ts';

export interface ExchangeEngineParts {
  readonly exchange: Exchange;
  readonly directory: Pick<Directory, 'user'>;
  readonly clock: Clock;
  readonly name?: string;
  readonly graceMs?: number;
}

/** A line outlives its last listener for so long: a page that is loaded again keeps its call. Then its calls end as lost. */
export const LINE_GRACE_MS = 30_000;

/** Hold and transfer need media, which calls between lines have none of. */
const ABILITIES: EngineAbilities = { reportsProgress: true, answer: true, hangup: true, hold: false, transfer: false };

/** The built-in exchange as an engine of calls: it sees every telephone call of its own numbers. */
export function createExchangeEngine(parts: ExchangeEngineParts): CallEngine {
  return new ExchangeEngine(parts);
}

interface Listened {
  readonly line: Line;
  readonly unregister: Stop;
  /** Nobody listens any more; then the line ends. */
  ending: Timer | null;
}

interface Followed {
  readonly call: StandingCall;
  wasConnected: boolean;
}

class ExchangeEngine implements CallEngine {
  readonly name: string;
  readonly abilities = ABILITIES;
  readonly #parts: ExchangeEngineParts;
  readonly #events = new Listeners<EngineEvent>();
  readonly #lines = new Map<string, Listened>();
  readonly #calls = new Map<string, Followed>();
  readonly #stop: Stop;
  #isOpen = true;

  constructor(parts: ExchangeEngineParts) {
    this.#parts = parts;
    this.name = parts.name ?? 'exchange';
    this.#stop = parts.exchange.changes.add((call) => this.#changed(call));
  }

  get isConnected(): boolean {
    return this.#isOpen;
  }

  onEvent(listener: (event: EngineEvent) => void): Stop {
    return this.#events.add(listener);
  }

  listen(number: string): void {
    if (!this.#isOpen) return;
    const known = this.#lines.get(number);
    if (known !== undefined) {
      known.ending?.cancel();
      known.ending = null;
      return;
    }
    if (this.#lines.size >= MAX_NUMBERS_PER_ENGINE) throw tooManyNumbers();
    const line = new Line(number);
    this.#lines.set(number, { line, unregister: this.#parts.exchange.registerLine(number, line), ending: null });
  }

  unlisten(number: string): void {
    const known = this.#lines.get(number);
    if (known === undefined) return;
    const { clock, graceMs = LINE_GRACE_MS } = this.#parts;
    known.ending ??= clock.after(graceMs, () => this.#end(number, known));
  }

  #end(number: string, known: Listened): void {
    this.#lines.delete(number);
    known.unregister();
  }

  async dial({ from, to }: { readonly from: string; readonly to: string }): Promise<string | null> {
    if (!this.#isOpen) throw engineUnavailable();
    const [caller, callee] = await Promise.all([this.#owner(from), this.#owner(to)]);
    if (caller === null || callee === null || caller.id === callee.id) throw callRefused('no such user');
    const line = this.#lines.get(from)?.line ?? new Line(from);
    const ask = { kind: 'plain', body: [], caller: partyOf(caller), isTaken: false } as const;
    try {
      return refsOf(this.#parts.exchange.call(line, callee, ask, line.user).setup).caller;
    } catch (error) {
      if (error instanceof Problem && error.code === 'too-many-calls') throw callRefused('too many calls');
      throw error;
    }
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the port's commands are asynchronous
  async answer(ref: string): Promise<void> {
    const { call } = this.#known(ref);
    const number = call.setup.callee.number;
    if (ref !== refsOf(call.setup).callee || number === null) throw wrongState('connected');
    if (this.#lines.get(number)?.line.answer(call.setup.conference) !== true) throw notSupported('answer');
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the port's commands are asynchronous
  async hangup(ref: string): Promise<void> {
    const { call } = this.#known(ref);
    const isRefusal = ref === refsOf(call.setup).callee && call.state.phase !== 'connected';
    call.hangUp(isRefusal ? CAUSE.rejected : CAUSE.normal);
  }

  hold(): Promise<void> {
    return Promise.reject(notSupported('hold'));
  }

  transfer(): Promise<void> {
    return Promise.reject(notSupported('transfer'));
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- as above
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const [number, known] of this.#lines) {
      known.ending?.cancel();
      this.#end(number, known);
    }
    for (const { call } of new Set(this.#calls.values())) call.hangUp(CAUSE.lost);
    this.#stop();
  }

  #owner(number: string): Promise<User | null> {
    return this.#parts.directory.user({ by: 'number', value: number });
  }

  #known(ref: string): Followed {
    const known = this.#calls.get(ref);
    if (known === undefined) throw noSuchCall();
    return known;
  }

  #changed(call: StandingCall): void {
    const { setup, state, cause } = call;
    const refs = refsOf(setup);
    const followed = this.#calls.get(refs.caller) ?? { call, wasConnected: false };
    followed.wasConnected ||= state.phase === 'connected';
    if (state.phase === 'ended') {
      for (const ref of [refs.caller, refs.callee]) this.#calls.delete(ref);
      if (setup.callee.number !== null) this.#lines.get(setup.callee.number)?.line.forget(setup.conference);
    } else for (const ref of [refs.caller, refs.callee]) this.#calls.set(ref, followed);
    for (const report of reportsOf({ setup, phase: state.phase, cause, wasConnected: followed.wasConnected }))
      this.#events.emit(report);
  }
}
