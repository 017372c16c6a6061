import { expect, test, vi } from 'vitest';
import { CHALLENGE_LIFETIME_MS, MAX_HTTP_CHALLENGES } from '../../src/wire/bounds.ts';
import { WebSessions } from '../../src/service/web-sessions.ts';

test('web sessions remember no more challenges than their bound; the oldest go first', () => {
  const sessions = new WebSessions(1_000);
  for (let i = 0; i < MAX_HTTP_CHALLENGES + 5; i++) sessions.challenge(`visitor ${i}`);
  expect(sessions.sizes.challenges).toBe(MAX_HTTP_CHALLENGES);
  expect(sessions.takeChallenge('visitor 4')).toBeUndefined();
  expect(sessions.takeChallenge('visitor 5')).toBeDefined();
});

test('a challenge and a session expire', () => {
  vi.useFakeTimers();
  try {
    const sessions = new WebSessions(60_000);
    const identity = { app: 'a', domain: '', sip: 's', guid: '', dn: '' };
    const id = sessions.open(
      { ...identity, pbxObj: undefined, info: undefined, infoText: undefined, isAppObject: false, isPbxUser: false },
      'k',
    );
    sessions.challenge('v');
    vi.advanceTimersByTime(CHALLENGE_LIFETIME_MS + 1);
    expect(sessions.takeChallenge('v')).toBeUndefined();
    expect(sessions.find(id)?.identity.sip).toBe('s');
    vi.advanceTimersByTime(60_000);
    expect(sessions.find(id)).toBeUndefined();
    expect(sessions.sizes.sessions).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});
