import type { Binding } from '../location/index.ts';
import { parseUri, sameUri } from '../messages/index.ts';
import type { RegistrarPolicy } from './policy.ts';
import type { ContactWish, RegisterWish } from './read-register.ts';
import { RegisterRefusal } from './refusal.ts';

export interface ApplyContext {
  readonly aor: string;
  readonly nowMs: number;
  readonly policy: RegistrarPolicy;
}

/** What becomes of the bindings of an address by one REGISTER (RFC 3261 10.3 steps 6 and 7): all of it or, by throwing, nothing. */
export function applyRegister(
  current: readonly Binding[],
  wish: RegisterWish,
  context: ApplyContext,
): readonly Binding[] {
  if (wish.isWildcard) {
    for (const binding of current) refuseOutOfOrder(binding, wish);
    return [];
  }
  let next = [...current];
  for (const contact of wish.contacts) {
    const known = next.find((binding) => isSame(binding, contact));
    if (known !== undefined) refuseOutOfOrder(known, wish);
    next = next.filter((binding) => binding !== known);
    if (contact.expiresS > 0) next.push(bind(contact, wish, context));
  }
  if (next.length > context.policy.maxBindingsPerAor && next.length > current.length)
    throw new RegisterRefusal(403, 'Too Many Bindings');
  return next;
}

/** RFC 3261 10.3: with the same Call-ID a lower or equal CSeq comes from the past. */
function refuseOutOfOrder(binding: Binding, wish: RegisterWish): void {
  if (binding.callId === wish.callId && wish.cseq <= binding.cseq) throw new RegisterRefusal(500, 'Out Of Order');
}

/** The same flow of the same device (RFC 5626 6), or else an equivalent Contact URI (RFC 3261 19.1.4). */
function isSame(binding: Binding, contact: ContactWish): boolean {
  if (contact.regId !== undefined) return binding.instanceId === contact.instanceId && binding.regId === contact.regId;
  if (binding.regId !== undefined) return false;
  return binding.contact === contact.contact || sameUri(parseUri(binding.contact), parseUri(contact.contact));
}

function bind(contact: ContactWish, wish: RegisterWish, { aor, nowMs, policy }: ApplyContext): Binding {
  const { callId, cseq, path, flow, userAgent } = wish;
  const texts = [aor, contact.contact, contact.params, callId, ...path];
  if (texts.reduce((sum, text) => sum + text.length, 0) > policy.maxBindingBytes)
    throw new RegisterRefusal(413, 'Registration Too Large');
  return {
    aor,
    contact: contact.contact,
    params: contact.params,
    q: contact.q,
    expiresAtMs: nowMs + 1000 * contact.expiresS,
    callId,
    cseq,
    path,
    instanceId: contact.instanceId,
    regId: contact.regId,
    flow,
    userAgent,
  };
}
