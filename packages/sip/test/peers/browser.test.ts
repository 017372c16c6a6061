import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWithPeers } from '../../../../test/kit/peer.ts';
import { until } from '../../../../test/kit/wait.ts';
import { eventsOf, startBrowser } from './browser.ts';
import type { BrowserStand } from './browser.ts';
import { startRegisteringServer } from './registering-server.ts';

describeWithPeers(['chromium'], 'Chromium with JsSIP', () => {
  let stand: BrowserStand;
  beforeAll(async () => {
    stand = await startBrowser();
  });
  afterAll(() => stand.close());

  test('registers over WebSocket with digest; the binding goes with the page', async () => {
    const server = await startRegisteringServer({ protocols: ['ws'], users: { dora: 'secret' } });
    const url = `ws://127.0.0.1:${server.listener('ws').local.port}`;
    const page = await stand.openPhone({ url, name: 'dora', password: 'secret', domain: 'tieline.test' });
    await until(async () => (await eventsOf(page)).some((event) => event.type === 'registered'), 'the registration');
    expect(server.answered.slice(0, 2)).toEqual(['REGISTER 401', 'REGISTER 200']);
    const [binding] = await server.registrar.find('sip:dora@tieline.test');
    expect(binding?.contact).toMatch(/\.invalid;transport=ws/);
    expect(binding?.flow?.protocol).toBe('ws');
    await page.close();
    await until(
      async () => (await server.registrar.find('sip:dora@tieline.test')).length === 0,
      'the end of the binding',
    );
    await until(() => server.location.size === 0, 'the binding to be cleared away');
    await server.close();
  });

  test('a wrong password is refused', async () => {
    const server = await startRegisteringServer({ protocols: ['ws'], users: { dora: 'secret' } });
    const url = `ws://127.0.0.1:${server.listener('ws').local.port}`;
    const page = await stand.openPhone({ url, name: 'dora', password: 'wrong', domain: 'tieline.test' });
    await until(async () => (await eventsOf(page)).some((event) => event.type === 'registrationFailed'), 'the refusal');
    expect(server.location.size).toBe(0);
    await page.close();
    await server.close();
  });
});
