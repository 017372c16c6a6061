import type { Directory } from '../../core/directory/index.ts';
import type { UserId } from '../../core/journal/index.ts';
import { Lru } from '../../kit/index.ts';
import { MAX_NAMES } from './limits.ts';

/** Local parts of users and App objects by id, for addresses in events. Known ones are given at once, so that order is kept. */
export class Names {
  readonly #directory: Pick<Directory, 'party'>;
  readonly #known = new Lru<UserId, string>(MAX_NAMES);

  constructor(directory: Pick<Directory, 'party'>) {
    this.#directory = directory;
  }

  /** Somebody who is gone keeps the id as the name: old messages still need an address. */
  of(user: UserId): string | Promise<string> {
    return this.#known.get(user) ?? this.#load(user);
  }

  forget(user: UserId): void {
    this.#known.delete(user);
  }

  async #load(user: UserId): Promise<string> {
    const party = await this.#directory.party({ by: 'id', value: user });
    if (party === null) return user;
    this.#known.set(user, party.name);
    return party.name;
  }
}
