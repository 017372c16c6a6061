import type { Client } from '../api/client.ts';
import type { Show, State } from '../state/model.ts';
import type { Action } from '../state/reduce.ts';
import { refreshPresences } from './loading.ts';
import type { Timers } from './timers.ts';

/** How often the presence of those who are no contacts is asked for while somebody looks. */
const REFRESH_MS = 20_000;
/** The same person is not asked for more often, however much comes from there. */
const ASK_AGAIN_MS = 5_000;

export interface PresenceDeskParts {
  readonly timers: Timers;
  readonly state: () => State;
  readonly isLooking: () => boolean;
  readonly dispatch: (action: Action) => void;
  /** Runs it with the client, where somebody is signed in, and says what went wrong. @returns whether nothing did */
  readonly attempt: (run: (client: Client) => Promise<unknown>, how?: 'aloud' | 'quietly') => Promise<boolean>;
}

/** Presence: contacts' comes by event, that of others is asked for. */
export class PresenceDesk {
  readonly #parts: PresenceDeskParts;
  readonly #askedAt = new Map<string, number>();
  #cancel: () => void = () => undefined;

  constructor(parts: PresenceDeskParts) {
    this.#parts = parts;
  }

  /** Somebody has signed in: presences are kept fresh until `stop`. */
  start(): void {
    this.stop();
    this.#cancel = this.#parts.timers.after(REFRESH_MS, () => {
      if (this.#parts.isLooking() && this.#parts.state().link === 'open') void this.refresh();
      this.start();
    });
  }

  stop(): void {
    this.#cancel();
    this.#askedAt.clear();
  }

  async set(show: Show, status: string): Promise<void> {
    await this.#parts.attempt(async (client) => {
      await client.setPresence(show, status);
      this.#parts.dispatch({ do: 'presence', name: client.me, presence: { show, status, isOnPhone: false } });
    });
  }

  async addContact(name: string): Promise<void> {
    if (await this.#parts.attempt((client) => client.addContact(name))) await this.refresh();
  }

  async refresh(): Promise<void> {
    const { attempt, state, dispatch } = this.#parts;
    await attempt((client) => refreshPresences(client, state().people, dispatch), 'quietly');
  }

  /** Something came from this person, or is to go there. */
  async look(name: string): Promise<void> {
    const now = this.#parts.timers.now();
    const isFresh = now - (this.#askedAt.get(name) ?? Number.NEGATIVE_INFINITY) < ASK_AGAIN_MS;
    if (isFresh || this.#parts.state().people[name]?.isContact === true) return;
    this.#askedAt.set(name, now);
    await this.#parts.attempt(async (client) => {
      this.#parts.dispatch({ do: 'presence', name, presence: await client.presence(name) });
    }, 'quietly');
  }
}
