import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../../../../../test/kit/wait.ts';
import { scaled } from '../../../../../test/kit/scale.ts';
import type { ApplicationSessions } from './application-sessions.ts';
import { post } from './test/raw-http.ts';
import { RawStomp } from './test/raw-stomp.ts';
import { startNode, type TestNode } from './test/start-node.ts';

/** `slow` never answers, `broken` fails, the rest is a number of its own. */
const lookup: ApplicationSessions = {
  find(session) {
    if (session === 'slow') return new Promise(() => undefined);
    if (session === 'broken') return Promise.reject(new Error('the other database is away'));
    return Promise.resolve({ phone: session });
  },
};

let node: TestNode;
beforeAll(async () => {
  node = await startNode({
    lookup,
    settings: {
      stomp: { connectTimeoutMs: 1_500, heartbeatMinMs: 50, maxSubscriptions: 8 },
      sockjs: { disconnectDelayMs: 1_000 },
      lookup: { timeoutMs: 150 },
    },
  });
});
afterEach(async () => {
  await until(() => node.surface.size === 0, 'no session is left');
  await until(() => node.engine.listening.size === 0, 'no number is listened to');
  expect(node.http.lobby.size).toBe(0);
});
afterAll(() => node.close());

const OPEN = 'CONNECT\naccept-version:1.2\n\n\0';
const listen = (session: string, more = ''): string =>
  `SEND\ndestination:/tapi/listen\napex_session:${session}\n${more}\n\0`;

describe('what is no STOMP ends with an ERROR and a close', () => {
  test.each<[string, string]>([
    ['Not connected', 'SEND\ndestination:/tapi/call\n\n{}\0'],
    ['Not connected', 'GET / HTTP/1.1\nHost: x\n\n\0'],
    ['Malformed frame', 'hello\0'],
    ['Malformed frame', 'CONNECT\nnothing\n\n\0'],
    ['Header too long', 'x'.repeat(9_000)],
    ['Frame too large', `CONNECT\n${Array.from({ length: 20 }, (_, i) => `h${i}:${'x'.repeat(4_000)}\n`).join('')}`],
    ['Too many headers', `CONNECT\n${'a:b\n'.repeat(129)}`],
    ['Supported versions are 1.0, 1.1 and 1.2', 'CONNECT\naccept-version:9\n\n\0'],
    ['Malformed heart-beat', 'CONNECT\nheart-beat:x\n\n\0'],
    ['Body not allowed', 'CONNECT\n\nbody\0'],
    ['Already connected', `${OPEN}${OPEN}`],
    ['Unknown command', `${OPEN}NONSENSE\n\n\0`],
    ['Missing header', `${OPEN}SEND\n\nx\0`],
    ['Missing header', `${OPEN}SUBSCRIBE\nid:1\n\n\0`],
    ['Malformed header', `${OPEN}SEND\ndestination:\\x\n\n\0`],
    ['Malformed frame', `${OPEN}SEND\ndestination:/a\ncontent-length:3\n\nabcdef\0`],
    ['Frame too large', `${OPEN}SEND\ndestination:/a\n\n${'x'.repeat(66_000)}`],
    ['Frame too large', `${OPEN}SEND\ndestination:/a\ncontent-length:999999999\n\n`],
    ['Unknown transaction', `${OPEN}SEND\ndestination:/a\ntransaction:t\n\n\0`],
    [
      'Too many subscriptions',
      `${OPEN}${Array.from({ length: 9 }, (_, i) => `SUBSCRIBE\nid:${i}\ndestination:/topic/a\n\n\0`).join('')}`,
    ],
  ])('%s (case %#)', async (message, text) => {
    for (const session of [undefined, 'framed']) {
      const client = new RawStomp(node.port, session);
      await client.opened();
      client.sendText(text);
      expect(await client.take('ERROR')).toContain(`message:${message}\n`);
      if (/\btoo\b/i.test(message)) expect(node.told).toContain(`limit ${message.toLowerCase().replaceAll(' ', '-')}`);
      expect(await client.over()).toEqual({ code: 1002, reason: 'STOMP error' });
      if (session !== undefined) expect(client.messages).toContain('c[1002,"STOMP error"]');
    }
  });

  test('over XHR too, and later polls get the same close', async () => {
    const url = '/tapi-messenger/0/badxhr';
    expect((await post(node.port, `${url}/xhr`, '')).body).toBe('o\n');
    await post(node.port, `${url}/xhr_send`, JSON.stringify(['NONSENSE\n\n\0']));
    expect((await post(node.port, `${url}/xhr`, '')).body).toContain('message:Not connected');
    for (let i = 0; i < 2; i++) expect((await post(node.port, `${url}/xhr`, '')).body).toBe('c[1002,"STOMP error"]\n');
  });

  test('a message over the carrier’s limit', async () => {
    const client = new RawStomp(node.port);
    await client.opened();
    client.sendText('x'.repeat(300_000));
    expect((await client.over()).code).toBe(1009);
    const url = '/tapi-messenger/0/largexhr';
    await post(node.port, `${url}/xhr`, '');
    expect((await post(node.port, `${url}/xhr_send`, JSON.stringify(['x'.repeat(300_000)]))).status).toBe(413);
    await until(() => node.surface.size === 0);
  });

  test('broken JSON in a SockJS message', async () => {
    const client = new RawStomp(node.port, 'broken');
    await client.opened();
    client.ws.send('["a');
    expect((await client.over()).code).toBe(3000);
  });
});

describe('time', () => {
  test('who says nothing is closed', async () => {
    const client = new RawStomp(node.port);
    await client.opened();
    expect(await client.over()).toEqual({ code: 1002, reason: 'Timed out' });
    expect(node.told).toContain('limit stomp.login-timeout');
  });

  test('heart-beats come, and a client that promised some and sends none is closed', async () => {
    const client = await RawStomp.connect(node.port, 'CONNECT\naccept-version:1.2\nheart-beat:60,60\n');
    await until(() => client.messages.filter((message) => message === '\n').length >= 3);
    expect(await client.over()).toEqual({ code: 1002, reason: 'Timed out' });
  });

  test('a client that keeps its promise stays', async () => {
    const client = await RawStomp.connect(node.port, 'CONNECT\naccept-version:1.2\nheart-beat:60,0\n');
    const beats = setInterval(() => client.sendText('\n'), 50);
    // Longer than 2 × 60 ms and the second of grace.
    await new Promise((resolve) => setTimeout(resolve, 1_400));
    clearInterval(beats);
    expect(client.closed).toBeUndefined();
    await client.close();
  });
});

describe('lookups (TM FM-6, FM-7)', () => {
  test.each(['slow', 'broken'])('%s: listening fails, the session stays usable', async (session) => {
    const client = await RawStomp.connect(node.port);
    await client.subscribe('r', '/topic/is-listen-init');
    client.sendText(listen(session));
    await client.take('FAILED TO FIND NUMBER FOR THIS SESSION');
    client.sendText(listen('734'));
    await client.take('LISTENING STARTED for number: 734');
    await client.close();
  });

  test('a session that ends while it is looked up listens to nothing', async () => {
    const client = await RawStomp.connect(node.port);
    client.sendText(listen('slow'));
    await client.heard();
    await client.close();
    await until(() => node.surface.size === 0);
    expect(node.engine.listening.size).toBe(0);
  });

  test('what comes meanwhile waits, up to a bound', async () => {
    await using patient = await startNode({ lookup, settings: { lookup: { timeoutMs: 60_000 } } });
    const { port } = patient;
    const url = '/tapi-messenger/0/floodxhr';
    await post(port, `${url}/xhr`, '');
    await post(port, `${url}/xhr_send`, JSON.stringify([`${OPEN}${listen('slow')}`]));
    const flood = JSON.stringify([`SEND\ndestination:/a\n\n${'x'.repeat(60_000)}\0`.repeat(4)]);
    void Promise.allSettled(Array.from({ length: 8 }, () => post(port, `${url}/xhr_send`, flood)));
    const frames: string[] = [];
    await until(async () => {
      frames.push((await post(port, `${url}/xhr`, '')).body);
      return frames.some((frame) => frame.startsWith('c['));
    }, 'the close');
    expect(frames.join('')).toContain('Too much at once');
  });
});

test('the same name on two live sessions: each is its own (TM FM-16)', async () => {
  const one = await RawStomp.connect(node.port, 'CONNECT\naccept-version:1.2\n', 'twin');
  const two = await RawStomp.connect(node.port, 'CONNECT\naccept-version:1.2\n', 'twin');
  for (const client of [one, two]) {
    await client.subscribe('in', '/user/queue/incoming-call-usertwin');
    client.sendText(listen('734'));
  }
  await one.settle();
  await two.settle();
  await one.close();
  node.engine.report({ ref: 'twin', number: '734', peer: '1', isAnnouncement: true });
  await two.take('"phone":"1"');
  await two.close();
});

test('connecting and leaving in rounds leaves nothing behind (TM FM-15)', async () => {
  node.engine.commands.length = 0;
  const rounds = scaled({ verify: 3, soak: 10 });
  const size = scaled({ verify: 100, soak: 1_000 });
  for (let round = 0; round < rounds; round++) {
    const clients = Array.from({ length: size }, () => new RawStomp(node.port));
    await Promise.all(
      clients.map(async (client, i) => {
        await client.opened();
        client.sendText(`${OPEN}${listen(String(700 + (i % 10)))}`);
        if (i % 3 === 0) await client.take('CONNECTED');
        client.ws.terminate();
      }),
    );
    await until(() => node.surface.size === 0 && node.engine.listening.size === 0, 'all are gone');
  }
  const count = (command: string): number => node.engine.commands.filter((c) => c.startsWith(`${command} `)).length;
  expect(count('listen')).toBe(count('unlisten'));
  expect(node.core.calls.figures().numbers).toBe(0);
});

test('very many tiny messages do not hold up others (TM FM-18)', async () => {
  await using patient = await startNode();
  const { port } = patient;
  const url = '/tapi-messenger/0/tinyxhr';
  await post(port, `${url}/xhr`, '');
  const beats = `[${'"\\n",'.repeat(50_000)}"\\n"]`;
  await post(port, `${url}/xhr_send`, JSON.stringify([OPEN]));
  const polled: string[] = [];
  const polling = (async () => {
    while (!polled.at(-1)?.startsWith('c[')) polled.push((await post(port, `${url}/xhr`, '')).body);
  })();
  let worst = 0;
  let last = performance.now();
  const watch = setInterval(() => {
    worst = Math.max(worst, performance.now() - last);
    last = performance.now();
  }, 5);
  const answers = await Promise.all(Array.from({ length: 4 }, () => post(port, `${url}/xhr_send`, beats)));
  const tooMany = `[${'"\\n",'.repeat(60_000)}"\\n"]`;
  expect((await post(port, `${url}/xhr_send`, tooMany)).status).toBe(413);
  const frames = JSON.stringify(['SEND\ndestination:/a\n\n\0'.repeat(7_500)]);
  expect((await post(port, `${url}/xhr_send`, frames)).status).toBe(204);
  await post(port, `${url}/xhr_send`, JSON.stringify(['DISCONNECT\nreceipt:bye\n\n\0']));
  await polling;
  expect(polled.join('')).toContain('receipt-id:bye');
  clearInterval(watch);
  expect(answers.map(({ status }) => status)).toEqual([204, 204, 204, 204]);
  console.log(`longest hold-up of the event loop: ${Math.round(worst)} ms`);
});

test('numbers and sessions that are no such thing reach nobody (TM FM-13)', async () => {
  const client = await RawStomp.connect(node.port);
  await client.subscribe('r', '/topic/is-listen-init');
  for (const session of ["1' or '1'='1", '1;2', 'a b', 'ż', '\\c', 'x'.repeat(65), '..%2f']) {
    client.sendText(listen(session));
    await client.take('FAILED TO FIND NUMBER');
  }
  // A number from outside that is none.
  client.sendText(listen('abc'));
  await client.take('FAILED TO FIND NUMBER');
  await client.close();
});
