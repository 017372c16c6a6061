export { bodyOf, describeBody, isSession, sdp, textBody, textOf, type Body } from './body.ts';
export {
  noOffer,
  stepOffer,
  type BodyRole,
  type OfferAnswer,
  type OfferInput,
  type OfferStep,
} from './offer-answer.ts';
export { nextDescription } from './origin.ts';
