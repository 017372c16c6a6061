export { Call, type Answered, type CallEnd, type CallEvents, type Progress, type RequestOptions } from './call.ts';
export { Change, type ChangeAnswer } from './change.ts';
export { type Addressee, type OutgoingOptions } from './compose.ts';
export { Emitter, MAX_WAITING_EVENTS, type Named, type WaitOptions } from './emitter.ts';
export { contactOn, type ExtraHeaders } from './ground.ts';
export { IncomingCall, type ProgressOptions } from './incoming-call.ts';
export { IncomingRequest, type ResponseOptions } from './incoming-request.ts';
export { IncomingSubscription, type IncomingSubscriptionEvents } from './incoming-subscription.ts';
export type { AgentEvents } from './intake.ts';
export type { Notified } from './notify-reader.ts';
export { MAX_BRANCHES, OutgoingCall } from './outgoing-call.ts';
export { MAX_WAITING_PROVISIONALS } from './provisionals.ts';
export { literalTarget, Reach, type Hop, type Resolve } from './reach.ts';
export { IncomingRefer, Referral, type ReferEvents, type ReferOptions } from './referral.ts';
export { Subscription, type SubscriptionEnd, type SubscriptionEvents } from './subscription.ts';
export {
  createUserAgent,
  UserAgent,
  type InviteOptions,
  type RegisterOptions,
  type SubscribeOptions,
  type UserAgentOptions,
} from './user-agent.ts';
