export { stepNotifier, type NotifierEffect, type NotifierInput, type NotifierState } from './notifier.ts';
export { sipfrag, statusOfSipfrag } from './sipfrag.ts';
export { stepSubscriber, type SubscriberEffect, type SubscriberInput, type SubscriberState } from './subscriber.ts';
export { readSubscriptionState, writeSubscriptionState, type SubscriptionStatus } from './subscription-state.ts';
