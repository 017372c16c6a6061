import { type JsonObject, textOf } from '@tieline/appwebsocket';
import { CAUSE, partyOf } from '../../../../core/exchange/index.ts';
import type { Presence, Show } from '../../../../core/presence/index.ts';
import type { User } from '../../../../core/directory/index.ts';
import { Problem, type Stop } from '../../../../kit/index.ts';
import type { SignalCall } from './call.ts';
import { causeOfProblem } from './errors.ts';
import { contactOf } from './outgoing.ts';
import type { Registration } from './registration.ts';

/** `presence_subscribe` (PBX §4): connect, then every item at once and on each change. */
export async function presenceSubscribe(registration: Registration, call: SignalCall, to: User): Promise<void> {
  let stop: Stop | null = null;
  let isOver = false;
  call.attach({
    ...ignored,
    release: () => {
      isOver = true;
      stop?.();
    },
  });
  call.proceeding();
  call.connected(partyOf(to), []);
  const show = (items: PresenceItem[]): void => call.relayed([{ type: 'facility', value: { fty: items } }]);
  try {
    const watching = await registration.parts.presence.watch(registration.actor, to.id, (presence) =>
      show(presenceItems(presence)),
    );
    stop = watching;
    if (wasReleased()) watching();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    // PBX §4: who may not see a user is told that he isn't there.
    if (error.code === 'forbidden') show([INVISIBLE]);
    else call.abort(causeOfProblem(error));
  }

  function wasReleased(): boolean {
    return isOver;
  }
}

interface PresenceItem {
  readonly [member: string]: string;
  readonly type: string;
  readonly status: string;
  readonly activity: string;
  readonly note: string;
  readonly contact: string;
}

const INVISIBLE: PresenceItem = { type: 'presence_notify', status: 'closed', activity: '', note: '', contact: 'im:' };

/** `presence_publish` (PBX §4): stores, connects and releases. */
export async function presencePublish(
  registration: Registration,
  call: SignalCall,
  to: User,
  item: JsonObject,
): Promise<void> {
  try {
    const stated = { contact: contactOf(item), activity: textOf(item['activity']), note: textOf(item['note']) };
    await registration.parts.presence.state(registration.actor, to.id, stated);
    call.connected(partyOf(to), []);
    call.abort(CAUSE.normal);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    call.abort(causeOfProblem(error));
  }
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

const ignored = { alert: none, connect: none, relay: none, text: none, chatState: none };
function none(): void {
  return;
}
