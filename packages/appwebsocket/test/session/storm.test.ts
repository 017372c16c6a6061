import { expect, test, vi } from 'vitest';
import { isSoak, scaled, seeded, seedOf } from '../../../../test/kit/scale.ts';
import { until } from '../../../../test/kit/wait.ts';
import { AppSession } from '../../src/session/session.ts';
import { AppWebsocketError } from '../../src/wire/errors.ts';
import { PASSWORD, ScriptedPeer } from '../client/kit.ts';
import { openResources } from '../service/kit.ts';

vi.setConfig({ testTimeout: isSoak ? 900_000 : 30_000 });

const LOSSES = scaled({ verify: 150, soak: 5_000 });

test('a peer that fails at every possible moment: every request settles, the session comes back each time, nothing is left', async () => {
  const random = seeded(seedOf('storm'));
  let isCalm = false;
  await using peer = await ScriptedPeer.start({}, (socket) => {
    const moment = isCalm ? Infinity : Math.floor(random() * 8);
    const end = (): void => {
      if (random() < 0.5) socket.socket.terminate();
      else socket.socket.close(1001);
    };
    if (moment === 0) return end();
    let count = 0;
    // Listeners of the kit come first: the answer of the moment is still sent.
    socket.socket.on('message', () => {
      if (++count === moment) end();
    });
    socket.onMessage = ({ api, mt, src, n }) => {
      if (String(mt).startsWith('Uns')) return;
      socket.send({ api, mt: `${String(mt)}Result`, src, n });
      if (String(mt).startsWith('Sub')) socket.send({ api, mt: 'Told', src, n });
    };
  });
  let losses = 0;
  let logins = 0;
  const before = openResources();
  const session = await AppSession.open({
    url: peer.url,
    app: 'tool',
    login: { password: PASSWORD },
    reconnect: { firstMs: 1, maxMs: 1, jitter: 0, resetAfterMs: 0 },
    onLogin: () => logins++,
    onLoss: () => losses++,
  });
  const settled = { answered: 0, lost: 0 };
  const note = (error: unknown): void => {
    expect(error).toBeInstanceOf(AppWebsocketError);
    expect(['connection-lost', 'not-connected']).toContain((error as AppWebsocketError).code);
    settled.lost++;
  };
  let asked = 0;
  while (losses < LOSSES) {
    await session.whenUp();
    const n = asked++;
    if (random() < 0.5) {
      const request = session.request('X', 'Ask', { n });
      await request.then((answer) => {
        settled.answered++;
        expect(answer['n']).toBe(n);
      }, note);
    } else {
      const told = session.subscribe('X', 'SubscribeX', { n });
      for await (const told1 of told) {
        expect(told1['n']).toBe(n);
        break;
      }
      await told.result.then(() => settled.answered++, note);
    }
  }
  isCalm = true;
  await until(async () => {
    await session.whenUp();
    return session.request('X', 'Ask', { n: -1 }).then(
      () => true,
      () => false,
    );
  }, 'calm');
  console.log(`${losses} losses, ${logins} logins, ${settled.answered} answered, ${settled.lost} lost`);
  expect(settled.answered + settled.lost).toBe(asked);
  expect(settled.answered).toBeGreaterThan(0);
  expect(settled.lost).toBeGreaterThan(0);
  await session.close();
  await until(() => peer.sockets.every(({ closed }) => closed), 'sockets closed');
  await until(() => (openResources()['TCPSocketWrap'] ?? 0) <= (before['TCPSocketWrap'] ?? 0), 'nothing left');
});
