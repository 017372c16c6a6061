import { type JsonObject, textOf } from '@tieline/appwebsocket';
import { CAUSE, partyOf } from '../../../../core/exchange/index.ts';
import type { User } from '../../../../core/directory/index.ts';
import type { Presence } from '../../../../core/presence/index.ts';
import { Problem, type Stop } from '../../../../kit/index.ts';
import type { SignalCall } from './call.ts';
import { contactOf } from './outgoing.ts';
import type { PresenceItem } from './presence-sigs.ts';
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
  let held: Presence | null = null;
  const release = (): void => {
    const newest = held;
    held = null;
    if (newest !== null && !isOver) tell(newest);
  };
  try {
    const watching = await registration.parts.presence.watch(registration.actor, to.id, tell);
    stop = watching;
    if (wasReleased()) watching();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    // PBX §4: who may not see a user is told that he isn't there.
    if (error.code === 'forbidden') call.relayed([{ type: 'facility', value: { fty: [INVISIBLE] } }]);
    else call.refuse(error);
  }

  /** The newest wins: an app that reads too slowly gets the last one when it reads again. */
  function tell(presence: Presence): void {
    if (registration.isWritable) return call.shared(registration.presenceSigs.of(presence));
    held = presence;
    registration.whenWritable(release);
  }

  function wasReleased(): boolean {
    return isOver;
  }
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
    call.refuse(error);
  }
}

const ignored = { alert: none, connect: none, relay: none, text: none, chatState: none };
function none(): void {
  return;
}
