import type { Contact, Directory } from '../../../core/directory/index.ts';
import type { UserId } from '../../../core/journal/index.ts';
import type { Actor } from '../../../core/permissions/index.ts';
import type { Presence, PresenceService } from '../../../core/presence/index.ts';
import { Problem, type Stop } from '../../../kit/index.ts';
import { MAX_CONTACTS } from '../limits.ts';

/** What all watches share. */
export interface ContactWatchParts {
  readonly directory: Pick<Directory, 'contacts' | 'party'>;
  readonly presence: Pick<PresenceService, 'watch'>;
  readonly failed: (error: unknown) => void;
}

/** Who is told. */
export interface ContactReader {
  readonly user: UserId;
  presence(presence: Presence, name: string): void;
}

/** Contacts whose presence this user sees (OF §5.3). */
export function seesPresence(contact: Contact): boolean {
  return contact.subscription === 1 || contact.subscription === 3;
}

/** Watches the presence of a user's contacts, and follows the list. */
export class ContactWatch {
  readonly #parts: ContactWatchParts;
  readonly #reader: ContactReader;
  /** Null: nobody is watched. */
  #stops: Map<UserId, Stop> | null = null;
  #isOpen = true;
  #isReading = false;
  #isStale = false;

  constructor(parts: ContactWatchParts, reader: ContactReader) {
    this.#parts = parts;
    this.#reader = reader;
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
        const contacts = await this.#parts.directory.contacts(this.#reader.user);
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
    const actor: Actor = { kind: 'user', user: this.#reader.user, admin: false };
    try {
      const stop = await this.#parts.presence.watch(actor, user, (presence) => {
        if (this.#isOpen) this.#reader.presence(presence, party.name);
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
