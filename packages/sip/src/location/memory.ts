import type { Binding } from './binding.ts';
import { LocationFull } from './port.ts';
import type { LocationService } from './port.ts';

/**
 * Bindings of all addresses together: ten times the phones of a large site. At most 8 KB each.
 * @peer 503 with Retry-After
 * @test registrar: bindings in all
 */
export const MAX_BINDINGS = 100_000;

export interface MemoryLocationOptions {
  /** The time, on the scale of `expiresAtMs`; `Date.now` where missing. */
  readonly now?: () => number;
  readonly maxBindings?: number;
}

/** Bindings in memory: lost with the process. */
export class MemoryLocation implements LocationService {
  readonly #now: () => number;
  readonly #max: number;
  readonly #byAor = new Map<string, readonly Binding[]>();
  readonly #byConnection = new Map<string, Set<string>>();
  #size = 0;

  constructor(options: MemoryLocationOptions = {}) {
    this.#now = options.now ?? Date.now;
    this.#max = options.maxBindings ?? MAX_BINDINGS;
  }

  get size(): number {
    return this.#size;
  }

  find(aor: string): Promise<readonly Binding[]> {
    return Promise.resolve(this.#live(aor));
  }

  update(aor: string, change: (current: readonly Binding[]) => readonly Binding[]): Promise<readonly Binding[]> {
    try {
      const next = change(this.#live(aor));
      const before = this.#byAor.get(aor) ?? [];
      if (next.length > before.length && this.#size + next.length - before.length > this.#max)
        throw new LocationFull(`${this.#max} bindings are held`);
      this.#keep(aor, before, next);
      return Promise.resolve(next);
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }

  expire(): Promise<readonly Binding[]> {
    const nowMs = this.#now();
    const gone: Binding[] = [];
    for (const [aor, held] of this.#byAor) {
      if (held.every((binding) => binding.expiresAtMs > nowMs)) continue;
      gone.push(...held.filter((binding) => binding.expiresAtMs <= nowMs));
      this.#keep(
        aor,
        held,
        held.filter((binding) => binding.expiresAtMs > nowMs),
      );
    }
    return Promise.resolve(gone);
  }

  dropConnection(connectionId: string): Promise<readonly Binding[]> {
    const gone: Binding[] = [];
    const isOnIt = (binding: Binding): boolean => binding.flow?.connection?.id === connectionId;
    for (const aor of [...(this.#byConnection.get(connectionId) ?? [])]) {
      const held = this.#byAor.get(aor) ?? [];
      gone.push(...held.filter(isOnIt));
      this.#keep(
        aor,
        held,
        held.filter((binding) => !isOnIt(binding)),
      );
    }
    return Promise.resolve(gone);
  }

  #live(aor: string): readonly Binding[] {
    const held = this.#byAor.get(aor);
    if (held === undefined) return [];
    const nowMs = this.#now();
    return held.every((binding) => binding.expiresAtMs > nowMs)
      ? held
      : held.filter((binding) => binding.expiresAtMs > nowMs);
  }

  #keep(aor: string, before: readonly Binding[], next: readonly Binding[]): void {
    this.#size += next.length - before.length;
    if (next.length === 0) this.#byAor.delete(aor);
    else this.#byAor.set(aor, next);
    for (const binding of before) this.#forgetConnection(binding, aor, next);
    for (const { flow } of next) {
      const id = flow?.connection?.id;
      if (id === undefined) continue;
      const known = this.#byConnection.get(id);
      if (known === undefined) this.#byConnection.set(id, new Set([aor]));
      else known.add(aor);
    }
  }

  #forgetConnection(binding: Binding, aor: string, next: readonly Binding[]): void {
    const id = binding.flow?.connection?.id;
    if (id === undefined || next.some((other) => other.flow?.connection?.id === id)) return;
    const known = this.#byConnection.get(id);
    known?.delete(aor);
    if (known?.size === 0) this.#byConnection.delete(id);
  }
}
