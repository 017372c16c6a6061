import { expect, test } from 'vitest';
import { Headers } from '../messages/index.ts';
import { describeBody, isSession, sdp, textOf } from './body.ts';
import { noOffer, stepOffer, type OfferInput } from './offer-answer.ts';

const rows: [path: string, input: OfferInput, result: string][] = [
  ['', 'send', 'offered 0 offer'],
  ['', 'receive', 'owing 0 offer'],
  ['send', 'send', 'pending'],
  ['send', 'receive', 'stable 1 answer'],
  ['receive', 'send', 'stable 1 answer'],
  ['receive', 'receive', 'owing'],
  ['send receive', 'receive', 'owing 1 offer'],
  ['send', 'failed', 'stable 0 -'],
  ['receive send send', 'failed', 'stable 1 -'],
];
test.each(rows)('%s | %s → %s', (path, input, result) => {
  let state = noOffer;
  for (const word of path.split(' ').filter(Boolean)) {
    const step = stepOffer(state, word as OfferInput);
    if (step.isAllowed) state = step.state;
  }
  const step = stepOffer(state, input);
  expect(step.isAllowed ? `${step.state.name} ${step.state.rounds} ${step.role ?? '-'}` : step.why).toBe(result);
});

test('bodies', () => {
  expect(textOf(sdp('v=0 €'))).toBe('v=0 €');
  expect(isSession(sdp('v=0'))).toBe(true);
  expect(isSession({ ...sdp('x'), disposition: 'render' })).toBe(false);
  expect(isSession({ ...sdp('x'), disposition: 'Session;handling=optional' })).toBe(true);
  expect(isSession(undefined)).toBe(false);
  const headers = new Headers();
  describeBody(headers, { ...sdp('x'), disposition: 'early-session' });
  expect([...headers.entries()]).toEqual([
    ['Content-Type', 'application/sdp'],
    ['Content-Disposition', 'early-session'],
  ]);
});
