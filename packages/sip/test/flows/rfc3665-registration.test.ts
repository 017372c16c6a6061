import { beforeEach, describe, expect, test } from 'vitest';
import { at, Play } from './play.ts';

let play: Play;
beforeEach(() => {
  play = new Play();
});

describe('RFC 3665 2: registration', () => {
  const credentials = { username: 'bob', password: 'zanzibar' };

  test('2.1 new registration, 2.2 update, 2.4 cancellation', async () => {
    play.serve('proxy', { bob: 'zanzibar' });
    const bob = play.phone('bob', { credentials });
    const registration = bob.register('sip:10.0.0.5', { aor: at('bob', 'proxy'), expires: 3_600 });
    await play.scene(`
      bob > proxy REGISTER
      proxy > bob 401 REGISTER
      bob > proxy REGISTER
      proxy > bob 200 REGISTER
    `);
    // The refresh uses the nonce that it knows; a nonce that has aged costs one more round.
    await play.pass(3_300_000, 5_000);
    play.said();
    expect(registration.state).toBe('registered');
    const closed = registration.close();
    await play.pass(100, 5);
    await closed;
    expect(play.said().at(-1)).toBe('proxy > bob 200 REGISTER');
    expect(play.last(/^REGISTER/)).toMatch(/\r\nExpires: 0\r\n/);
    await play.end();
  });

  test('2.3 request for the current contacts', async () => {
    play.serve('proxy');
    const bob = play.phone('bob');
    await play.registered('bob', 'proxy');
    const list = bob.request('REGISTER', at('bob', 'proxy'), { requestUri: 'sip:10.0.0.5' });
    await play.scene(`
      bob > proxy REGISTER
      proxy > bob 200 REGISTER
    `);
    expect((await list).headers.contact?.uriText).toBe('sip:bob@10.0.0.2:5060');
    await play.end();
  });

  test('2.5 unsuccessful registration', async () => {
    play.serve('proxy', { bob: 'zanzibar' });
    const bob = play.phone('bob', { credentials: { ...credentials, password: 'wrong' } });
    const registration = bob.register('sip:10.0.0.5', { aor: at('bob', 'proxy') });
    await play.scene(`
      bob > proxy REGISTER
      proxy > bob 401 REGISTER
      bob > proxy REGISTER
      proxy > bob 401 REGISTER
    `);
    expect(registration.state).toBe('ended');
    await play.end();
  });
});
