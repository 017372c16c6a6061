import { describe, expect, test } from 'vitest';
import { Headers } from '../messages/index.ts';
import { textBody } from '../offer-answer/index.ts';
import { stepNotifier, type NotifierInput, type NotifierState } from './notifier.ts';
import { sipfrag, statusOfSipfrag } from './sipfrag.ts';
import { stepSubscriber, type SubscriberInput, type SubscriberState } from './subscriber.ts';
import { readSubscriptionState, writeSubscriptionState } from './subscription-state.ts';

describe('the subscriber (RFC 6665 4.1.2)', () => {
  const rows: [SubscriberState, SubscriberInput, SubscriberState, string][] = [
    ['waiting', 'begin', 'waiting', 'start-n'],
    ['waiting', 'refused', 'terminated', 'stop-n end'],
    ['waiting', 'notify-pending', 'pending', 'stop-n notified'],
    ['waiting', 'notify-active', 'active', 'stop-n notified'],
    ['waiting', 'notify-terminated', 'terminated', 'stop-n notified end'],
    ['waiting', 'timer-n', 'terminated', 'end'],
    ['pending', 'notify-active', 'active', 'notified'],
    ['pending', 'notify-pending', 'pending', 'notified'],
    ['pending', 'timer-n', 'pending', ''],
    ['pending', 'notify-terminated', 'terminated', 'notified end'],
    ['active', 'notify-pending', 'active', 'notified'],
    ['active', 'notify-active', 'active', 'notified'],
    ['active', 'expired', 'terminated', 'end'],
    ['active', 'lost', 'terminated', 'end'],
    ['terminated', 'notify-active', 'terminated', ''],
  ];
  test.each(rows)('%s | %s → %s [%s]', (state, input, next, effects) => {
    const step = stepSubscriber(state, input);
    expect([step.state, step.effects.join(' ')]).toEqual([next, effects]);
  });
});

describe('the notifier (RFC 6665 4.2.2)', () => {
  const rows: [NotifierState, NotifierInput, NotifierState, string][] = [
    ['asked', 'accept', 'active', 'respond notify'],
    ['asked', 'accept-pending', 'pending', 'respond notify'],
    ['asked', 'reject', 'terminated', 'respond end'],
    ['asked', 'unsubscribe', 'terminated', 'respond notify-last end'],
    ['pending', 'accept', 'active', 'notify'],
    ['pending', 'reject', 'terminated', 'notify-last end'],
    ['pending', 'refresh', 'pending', 'respond notify'],
    ['active', 'refresh', 'active', 'respond notify'],
    ['active', 'unsubscribe', 'terminated', 'respond notify-last end'],
    ['active', 'expired', 'terminated', 'notify-last end'],
    ['active', 'finish', 'terminated', 'notify-last end'],
    ['active', 'lost', 'terminated', 'end'],
    ['terminated', 'refresh', 'terminated', ''],
  ];
  test.each(rows)('%s | %s → %s [%s]', (state, input, next, effects) => {
    const step = stepNotifier(state, input);
    expect([step.state, step.effects.join(' ')]).toEqual([next, effects]);
  });
});

test('Subscription-State', () => {
  const read = (text: string): unknown => readSubscriptionState(new Headers([['Subscription-State', text]]));
  expect(read('active;expires=60')).toMatchObject({ state: 'active', expires: 60 });
  expect(read('terminated;reason=noresource')).toMatchObject({ state: 'terminated', reason: 'noresource' });
  expect(read('x-strange;expires=oops')).toMatchObject({ state: 'active', expires: undefined });
  expect(readSubscriptionState(new Headers())).toBeUndefined();
  const status = { state: 'terminated', expires: undefined, reason: 'probation', retryAfter: 5 } as const;
  expect(writeSubscriptionState(status)).toBe('terminated;reason=probation;retry-after=5');
});

test('sipfrag', () => {
  expect(statusOfSipfrag(sipfrag(486))).toBe(486);
  for (const bad of ['', 'SIP/2.0 999 x', 'HTTP/1.1 200 OK'])
    expect(statusOfSipfrag(textBody('message/sipfrag', bad))).toBeUndefined();
  expect(statusOfSipfrag(undefined)).toBeUndefined();
});
