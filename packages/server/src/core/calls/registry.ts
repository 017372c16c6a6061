import type { Clock, Stop, Timer } from '../../kit/index.ts';
import { engineUnavailable, tooManyListeners, tooManyNumbers } from './errors.ts';
import { MAX_LISTENERS_PER_NUMBER, MAX_NUMBERS_PER_ENGINE } from './limits.ts';
import type { Call } from './model.ts';
import type { CallEngine } from './ports.ts';

/** A listener gets the live calls at once as `snapshot`, then every `change`. */
export type CallListener = (call: Call, how: 'snapshot' | 'change') => void;

interface Entry {
  readonly engine: CallEngine;
  readonly listeners: Set<{ readonly call: CallListener }>;
  grace: Timer | null;
}

export interface RegistryParts {
  engineFor(number: string): CallEngine | null;
  readonly clock: Clock;
  /** How long after its last listener a number is still listened to (TM AP-31). */
  readonly graceMs: number;
  /** A listener has thrown: the others are still called. */
  failed(error: unknown): void;
  readonly maxListeners?: number;
  readonly maxNumbers?: number;
}

/** Who listens to which number. The first listener of a number starts the engine's listening, the end of the last stops it. */
export class Registry {
  readonly #parts: RegistryParts;
  readonly #entries = new Map<string, Entry>();
  readonly #numbersOf = new Map<CallEngine, number>();
  readonly #holds = new Set<Timer>();

  constructor(parts: RegistryParts) {
    this.#parts = parts;
  }

  /** Numbers listened to, those in their grace included. */
  get size(): number {
    return this.#entries.size;
  }

  /** @throws engine-unavailable (the number has no engine) | too-many-listeners | too-many-numbers */
  add(number: string, call: CallListener): Stop {
    const entry = this.#entries.get(number) ?? this.#begin(number);
    if (entry.listeners.size >= (this.#parts.maxListeners ?? MAX_LISTENERS_PER_NUMBER)) throw tooManyListeners(number);
    entry.grace?.cancel();
    entry.grace = null;
    const listener = { call };
    entry.listeners.add(listener);
    return () => {
      if (!entry.listeners.delete(listener) || entry.listeners.size > 0) return;
      if (this.#entries.get(number) === entry) this.#leave(number, entry);
    };
  }

  /** Listens for a while to a number that nobody listens to. */
  hold(number: string, ms: number): void {
    if (this.#entries.has(number)) return;
    const stop = this.add(number, () => undefined);
    const timer = this.#parts.clock.after(ms, () => {
      this.#holds.delete(timer);
      stop();
    });
    this.#holds.add(timer);
  }

  emit(number: string, call: Call): void {
    const entry = this.#entries.get(number);
    if (entry === undefined) return;
    for (const listener of [...entry.listeners]) {
      if (!entry.listeners.has(listener)) continue;
      try {
        listener.call(call, 'change');
      } catch (error) {
        this.#parts.failed(error);
      }
    }
  }

  close(): void {
    for (const timer of this.#holds) timer.cancel();
    this.#holds.clear();
    for (const [number, entry] of [...this.#entries]) {
      entry.listeners.clear();
      this.#end(number, entry);
    }
  }

  #begin(number: string): Entry {
    const engine = this.#parts.engineFor(number);
    if (engine === null) throw engineUnavailable();
    const count = this.#numbersOf.get(engine) ?? 0;
    if (count >= (this.#parts.maxNumbers ?? MAX_NUMBERS_PER_ENGINE)) throw tooManyNumbers();
    const entry: Entry = { engine, listeners: new Set(), grace: null };
    engine.listen(number);
    this.#numbersOf.set(engine, count + 1);
    this.#entries.set(number, entry);
    return entry;
  }

  #leave(number: string, entry: Entry): void {
    if (this.#parts.graceMs <= 0) return this.#end(number, entry);
    entry.grace = this.#parts.clock.after(this.#parts.graceMs, () => this.#end(number, entry));
  }

  #end(number: string, entry: Entry): void {
    entry.grace?.cancel();
    this.#entries.delete(number);
    const count = (this.#numbersOf.get(entry.engine) ?? 1) - 1;
    if (count === 0) this.#numbersOf.delete(entry.engine);
    else this.#numbersOf.set(entry.engine, count);
    entry.engine.unlisten(number);
  }
}
