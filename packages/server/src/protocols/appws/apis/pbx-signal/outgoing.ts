import { isObject, textOf } from '@tieline/appwebsocket';
import { CAUSE, partyOf } from '../../../../core/exchange/index.ts';
import type { User } from '../../../../core/directory/index.ts';
import { Problem } from '../../../../kit/index.ts';
import { localPart } from '../../logins.ts';
import type { SignalCall } from './call.ts';
import { presencePublish, presenceSubscribe } from './presence-call.ts';
import type { Registration } from './registration.ts';
import { calledParty, kindOf, opaqueOf, OWN_FACILITIES, type Sig } from './signals.ts';

/** A `setup` from the app: finds the destination and starts the call, or ends it with the cause of PBX §3.3. */
export async function startCall(registration: Registration, call: SignalCall, sig: Sig): Promise<void> {
  const { parts } = registration;
  const to = await destination(registration, sig);
  // The app may have ended it meanwhile.
  if (call.isOver) return;
  if (to === null) return call.abort(CAUSE.unknownNumber);
  const publish = sig.facilities.find((item) => item['type'] === 'presence_publish');
  if (publish !== undefined) return presencePublish(registration, call, to, publish);
  if (sig.facilities.some((item) => item['type'] === 'presence_subscribe'))
    return presenceSubscribe(registration, call, to);
  // A service of the PBX that is not there yet (PBX §4); as a call it would ring.
  if (sig.facilities.some((item) => item['type'] === 'dialog_info_subscribe'))
    return call.abort(CAUSE.facilityRejected);
  if (to.id === registration.owner) return call.abort(CAUSE.busy);
  const kind = kindOf(sig);
  registration.remember(to);
  try {
    const isTaken = kind === 'chat' && (to.hasStorage || parts.delivery.isAttended(to.id));
    const caller = partyOf(registration.who.party);
    const ask = { kind, body: opaqueOf(sig, OWN_FACILITIES), caller, isTaken };
    call.attach(parts.exchange.call(registration, to, ask, call));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    call.refuse(error);
  }
}

async function destination({ parts }: Registration, sig: Sig): Promise<User | null> {
  const { sip, num } = calledParty(sig);
  if (sip !== null) {
    const at = sip.indexOf('@');
    if (at >= 0 && sip.slice(at + 1).toLowerCase() !== parts.domain) return null;
    return parts.directory.party({ by: 'name', value: localPart(sip) });
  }
  return num === null ? null : parts.directory.user({ by: 'number', value: num });
}

/** Presence contacts as they are spelled in the trade (PBX §15.2). */
export function contactOf(item: unknown): 'tel:' | 'im:' | 'calendar:' {
  const contact = isObject(item) ? textOf(item['contact']) : '';
  if (contact === 'im:') return 'im:';
  return contact === 'cal:' || contact === 'calendar:' ? 'calendar:' : 'tel:';
}
