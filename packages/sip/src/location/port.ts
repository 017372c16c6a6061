import type { Binding } from './binding.ts';

/**
 * Who keeps bindings. Adapters: `MemoryLocation` here, a stored one where the library is used.
 *
 * All changes of one address of record come one after the other: between a call of `change` and what it returned being kept nobody else
 * changes that address. Errors of `change` go through, and nothing is kept then. What is over is never returned.
 */
export interface LocationService {
  /** All that is bound and not over, in no order. */
  find(aor: string): Promise<readonly Binding[]>;
  /** Replaces the bindings of an address by what `change` makes of them. Throws `LocationFull`. */
  update(aor: string, change: (current: readonly Binding[]) => readonly Binding[]): Promise<readonly Binding[]>;
  /** Removes what is over, and returns it. */
  expire(): Promise<readonly Binding[]>;
  /** Removes what came over a connection that has ended, and returns it. */
  dropConnection(connectionId: string): Promise<readonly Binding[]>;
  /** Bindings held. */
  readonly size: number;
}

/** No room for one more binding: 503. */
export class LocationFull extends Error {
  override readonly name = 'LocationFull';
  readonly code = 'location-full';
}
