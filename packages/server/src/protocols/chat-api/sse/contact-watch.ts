import type { Contact, Directory } from '../../../core/directory/index.ts';
import type { UserId } from '../../../core/journal/index.ts';
import type { Actor } from '../../../core/permissions/index.ts';
import type { Presence, PresenceService } from '../../../core/presence/index.ts';
import { Problem, type Stop } from '../../../kit/index.ts';
import { MAX_CONTACTS } from '../limits.ts';

export interface ContactWatchParts {
  readonly directory: Pick<Directory, 'contacts' | 'party'>;
  readonly presence: Pick<PresenceService, 'watch'>;
  readonly actor: Actor;
  readonly user: UserId;
  readonly tell: (presence: Presence, name: string) => void;
  readonly failed: (error: unknown) => void;
}

/** Contacts whose presence this user sees (OF §5.3). */
export function seesPresence(contact: Contact): boolean {
  return contact.subscription === 1 || contact.subscription === 3;
}

/** Watches the presence of a user's contacts, and follows the list. */
export class ContactWatch {
  readonly #parts: ContactWatchParts;
  /** Null: nobody is watched. */
  #stops: Map<UserId, Stop> | null = null;
  #isOpen = true;
  #isReading = false;
  #isStale = false;

  constructor(parts: ContactWatchParts) {
    this.#parts = parts;
    this.refresh();
  }

  get size(): number {
    return this.#stops?.size ?? 0;
  }

  /** The list has changed. */
  refresh(): void {
    this.#isStale = true;
    if (!this.#isReading) void this.#read();
  }

  close(): void {
    this.#isOpen = false;
    for (const stop of this.#stops?.values() ?? []) stop();
    this.#stops = null;
  }

  async #read(): Promise<void> {
    this.#isReading = true;
    try {
      while (this.#isStale && this.#isOpen) {
        this.#isStale = false;
        const contacts = await this.#parts.directory.contacts(this.#parts.user);
        await this.#apply(contacts.filter(seesPresence).slice(0, MAX_CONTACTS));
      }
    } catch (error) {
      this.#parts.failed(error);
    } finally {
      this.#isReading = false;
    }
  }

  async #apply(contacts: readonly Contact[]): Promise<void> {
    const wanted = new Set(contacts.map((item) => item.contact));
    for (const [user, stop] of this.#stops ?? []) {
      if (wanted.has(user)) continue;
      stop();
      this.#stops?.delete(user);
    }
    for (const user of wanted) if (this.#isOpen && this.#stops?.has(user) !== true) await this.#watch(user);
  }

  async #watch(user: UserId): Promise<void> {
    const party = await this.#parts.directory.party({ by: 'id', value: user });
    if (party === null) return;
    try {
      const stop = await this.#parts.presence.watch(this.#parts.actor, user, (presence) => {
        if (this.#isOpen) this.#parts.tell(presence, party.name);
      });
      if (this.#isOpen) (this.#stops ??= new Map()).set(user, stop);
      else stop();
    } catch (error) {
      // One who is watched by too many is left out; the others are watched.
      if (!(error instanceof Problem)) throw error;
      this.#parts.failed(error);
    }
  }
}
