import type { Presence, Show } from '../../../../core/presence/index.ts';
import { SharedSig } from './shared-sig.ts';

/** Presences as their watchers are told, each encoded once. */
export class PresenceSigs {
  #last: { readonly presence: Presence; readonly sig: SharedSig } | null = null;

  of(presence: Presence): SharedSig {
    if (this.#last?.presence === presence) return this.#last.sig;
    const sig = new SharedSig({ type: 'facility', fty: presenceItems(presence) });
    this.#last = { presence, sig };
    return sig;
  }
}

export interface PresenceItem {
  readonly [member: string]: string;
  readonly type: string;
  readonly status: string;
  readonly activity: string;
  readonly note: string;
  readonly contact: string;
}

/** What sessions of other surfaces say of themselves, in the words of this one (design §3). */
const ACTIVITY: Readonly<Record<Show, string>> = {
  chat: '',
  available: '',
  away: 'away',
  xa: 'away',
  dnd: 'dnd',
  offline: '',
};

/** All items, newest first; `im:` is the PBX's own: online or not, on the phone, and what the best session says. */
export function presenceItems(presence: Presence): PresenceItem[] {
  const stated = presence.stated
    .filter((item) => item.contact !== 'im:')
    .map((item) => ({
      type: 'presence_notify',
      status: 'open',
      activity: item.activity,
      note: item.note,
      contact: item.contact,
    }));
  const own = {
    type: 'presence_notify',
    status: presence.isOnline ? 'open' : 'closed',
    activity: presence.isOnPhone ? 'on-the-phone' : ACTIVITY[presence.show],
    note: presence.status,
    contact: 'im:',
  };
  return [...stated, own];
}
