import { type Clock, type Ids, Lru } from '../../kit/index.ts';
import type { CallId } from '../journal/index.ts';
import { MAX_LIVE, RESERVED_ID_MS } from './limits.ts';
import type { CallEngine } from './ports.ts';

/** Ids of calls that are not live yet: a dial and the first report of its call must agree, whichever comes first. */
export class CallIds {
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #reserved = new Lru<string, { readonly id: CallId; readonly until: number }>(MAX_LIVE);

  constructor(clock: Clock, ids: Ids) {
    this.#clock = clock;
    this.#ids = ids;
  }

  /** The id of the call that `engine` names `ref`; the same as long as it is asked for within a minute. */
  of(engine: CallEngine, ref: string): CallId {
    if (engine.givesIds === true) return ref as CallId;
    const key = `${engine.name}\n${ref}`;
    const now = this.#clock.now();
    const known = this.#reserved.get(key);
    if (known !== undefined && known.until > now) return known.id;
    const id = this.#ids.sortable(now) as CallId;
    this.#reserved.set(key, { id, until: now + RESERVED_ID_MS });
    return id;
  }
}
