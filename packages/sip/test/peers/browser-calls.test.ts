import type { Page } from '@playwright/test';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { describeWithPeers } from '../../../../test/kit/peer.ts';
import { until } from '../../../../test/kit/wait.ts';
import { startB2buaServer, type B2buaServer } from './b2bua-server.ts';
import { startBrowser, type BrowserStand } from './browser.ts';

const users = { dora: 'd', emil: 'e' };

/** Run in the page. */
const LISTEN = `
  window.session = undefined;
  window.sessionEvents = [];
  phone.on('newRTCSession', ({ session, originator }) => {
    window.session = session;
    for (const type of ['progress', 'accepted', 'confirmed', 'ended', 'failed', 'hold', 'unhold', 'newDTMF', 'newInfo'])
      session.on(type, (event) => sessionEvents.push({ type, originator: event?.originator, tone: event?.dtmf?.tone }));
    session.on('peerconnection', ({ peerconnection }) => listen(peerconnection));
    if (session.connection) listen(session.connection);
    if (originator === 'remote') session.answer({ mediaConstraints: { audio: true, video: false } });
  });
  const listen = (connection) => {
    connection.addEventListener('track', (event) => {
      const audio = document.createElement('audio');
      audio.srcObject = event.streams[0] ?? new MediaStream([event.track]);
      audio.autoplay = true;
      document.body.append(audio);
    });
  };
`;
const HEARD = `(async () => {
  const stats = await session.connection.getStats();
  const inbound = [...stats.values()].find((s) => s.type === 'inbound-rtp' && s.kind === 'audio');
  return { packets: inbound?.packetsReceived ?? 0, energy: inbound?.totalAudioEnergy ?? 0 };
})()`;

describeWithPeers(['chromium'], 'Chromium with JsSIP calls another Chromium', () => {
  let stand: BrowserStand;
  let server: B2buaServer | undefined;
  beforeAll(async () => {
    stand = await startBrowser();
  });
  afterAll(() => stand.close());
  afterEach(() => server?.close());

  async function openPage(name: keyof typeof users): Promise<Page> {
    if (server === undefined) throw new Error('no server');
    const url = `ws://127.0.0.1:${server.listener('ws').local.port}`;
    const page = await stand.openPhone({ url, name, password: users[name], domain: 'tieline.test' });
    await page.evaluate(LISTEN);
    const { registrar } = server;
    await until(async () => (await registrar.find(`sip:${name}@tieline.test`)).length > 0, `${name} to be registered`);
    return page;
  }

  async function heard(page: Page, type: string): Promise<{ readonly tone?: string }> {
    const find = `sessionEvents.find((event) => event.type === '${type}')`;
    return await until(async () => page.evaluate<{ tone?: string } | undefined>(find), type);
  }

  test('over WebSocket with digest: sound both ways, a digit, hold, and the end', async () => {
    server = await startB2buaServer({ protocols: ['ws'], users });
    const dora = await openPage('dora');
    const emil = await openPage('emil');
    await dora.evaluate(
      `void phone.call('sip:emil@tieline.test', { mediaConstraints: { audio: true, video: false } })`,
    );
    for (const page of [dora, emil]) await heard(page, 'confirmed');
    for (const page of [dora, emil]) {
      await until(async () => {
        const { packets, energy } = await page.evaluate<{ packets: number; energy: number }>(HEARD);
        return packets > 50 && energy > 0;
      }, 'sound');
    }
    await dora.evaluate(`session.sendDTMF('5', { transportType: 'INFO' })`);
    expect((await heard(emil, 'newDTMF')).tone).toBe('5');
    await dora.evaluate(`session.hold()`);
    await heard(emil, 'hold');
    // JsSIP refuses while its own offer is not answered yet: emil has heard of it earlier.
    await until(() => dora.evaluate<boolean>(`session.unhold()`), 'dora to be ready for another offer');
    await heard(emil, 'unhold');
    await emil.evaluate(`session.terminate()`);
    await heard(dora, 'ended');
    const { agent } = server.b2bua;
    await until(() => agent.counts.dialogs === 0, 'all dialogs to end');
    await dora.close();
    await emil.close();
  });
});
