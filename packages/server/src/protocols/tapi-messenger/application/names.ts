import type { Directory } from '../../../core/directory/index.ts';
import type { UserId } from '../../../core/journal/index.ts';
import { Lru } from '../../../kit/index.ts';

/**
 * Names kept at hand: who writes to whom on this node, many times over.
 * @peer nothing to notice
 * @test kit: an LRU forgets what was used longest ago
 */
const MAX_NAMES = 10_000;

/** Users' names, at once where they are known: a message must not wait for the directory, nor overtake another. */
export class Names {
  readonly #directory: Pick<Directory, 'party'>;
  readonly #known = new Lru<string, string>(MAX_NAMES);

  constructor(directory: Pick<Directory, 'party'>) {
    this.#directory = directory;
  }

  known(user: UserId): string | undefined {
    return this.#known.get(user);
  }

  /** '' for a user that is no more. */
  async find(user: UserId): Promise<string> {
    const known = this.#known.get(user);
    if (known !== undefined) return known;
    const party = await this.#directory.party({ by: 'id', value: user });
    const name = party?.name ?? '';
    this.#known.set(user, name);
    return name;
  }

  /** The account has changed. */
  forget(user: string): void {
    this.#known.delete(user);
  }
}
