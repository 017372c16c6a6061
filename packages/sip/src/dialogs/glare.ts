/** RFC 3261 14.1: after a 491 whoever made the Call-ID waits 2.1 to 4 s, the other 0 to 2 s, both in steps of 10 ms. */
export function glareDelayMs(isCallIdOwner: boolean, random: () => number): number {
  const [from, steps] = isCallIdOwner ? [2_100, 191] : [0, 201];
  return from + Math.floor(random() * steps) * 10;
}

/** RFC 3261 14.2, RFC 3311 5.2: what of a dialog a new offer of the peer may collide with. */
export interface OpenWork {
  /** A re-INVITE of ours has no final response yet. */
  readonly hasOwnInvite: boolean;
  /** An INVITE of the peer has no final response of ours yet. */
  readonly hasPeerInvite: boolean;
  /** An offer of ours has no answer yet. */
  readonly hasOwnOffer: boolean;
  /** An offer of the peer has no answer of ours yet. */
  readonly hasPeerOffer: boolean;
}

/** `late`: 500 with Retry-After of 0 to 10 s. */
export type GlareVerdict = 'ok' | 'pending' | 'late';

/** A re-INVITE of the peer. */
export function judgeInvite(work: OpenWork): GlareVerdict {
  if (work.hasPeerInvite || work.hasPeerOffer) return 'late';
  return work.hasOwnInvite || work.hasOwnOffer ? 'pending' : 'ok';
}

/** An UPDATE of the peer; one without an offer collides with nothing. */
export function judgeUpdate(work: OpenWork, hasOffer: boolean): GlareVerdict {
  if (!hasOffer) return 'ok';
  if (work.hasPeerOffer) return 'late';
  return work.hasOwnOffer ? 'pending' : 'ok';
}

/** The seconds of that Retry-After. */
export function lateRetryAfterS(random: () => number): number {
  return Math.floor(random() * 11);
}
