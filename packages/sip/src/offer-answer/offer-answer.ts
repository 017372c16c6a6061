/**
 * Bookkeeping of offers and answers (RFC 3264, RFC 6337): whose turn it is. Bodies stay opaque.
 * `offered`: ours waits for the peer's answer. `owing`: the peer's waits for ours.
 */
export interface OfferAnswer {
  readonly name: 'stable' | 'offered' | 'owing';
  /** Exchanges that were completed. */
  readonly rounds: number;
}

export const noOffer: OfferAnswer = { name: 'stable', rounds: 0 };

/** `failed`: the request that carried the open offer was refused, or the one that was to bring its answer never came (RFC 3261 14.1). */
export type OfferInput = 'send' | 'receive' | 'failed';

export type BodyRole = 'offer' | 'answer';

export type OfferStep =
  | { readonly isAllowed: true; readonly state: OfferAnswer; readonly role: BodyRole | undefined }
  /** `pending`: an offer of ours is open (491). `owing`: an offer of the peer is (500, Retry-After). */
  | { readonly isAllowed: false; readonly why: 'pending' | 'owing' };

/** A session description is sent or received: which of both it is follows from whose turn it is. */
export function stepOffer(state: OfferAnswer, input: OfferInput): OfferStep {
  if (input === 'failed') return { isAllowed: true, state: { name: 'stable', rounds: state.rounds }, role: undefined };
  switch (state.name) {
    case 'stable':
      return {
        isAllowed: true,
        state: { name: input === 'send' ? 'offered' : 'owing', rounds: state.rounds },
        role: 'offer',
      };
    case 'offered':
      if (input === 'send') return { isAllowed: false, why: 'pending' };
      return { isAllowed: true, state: { name: 'stable', rounds: state.rounds + 1 }, role: 'answer' };
    case 'owing':
      if (input === 'receive') return { isAllowed: false, why: 'owing' };
      return { isAllowed: true, state: { name: 'stable', rounds: state.rounds + 1 }, role: 'answer' };
  }
}
