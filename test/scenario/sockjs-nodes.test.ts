import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ownerOf } from '../../packages/server/src/core/index.ts';
import type { Server } from '../../packages/server/src/main.ts';
import { ask, get, post, RawHttp } from '../../packages/server/src/protocols/tapi-messenger/test/raw-http.ts';
import { Balancer } from '../kit/balancer.ts';
import { type Nodes, startNodes } from '../kit/nodes.ts';
import { StompApp } from '../kit/stomp-app.ts';
import { until } from '../kit/wait.ts';

const CONNECT = 'CONNECT\naccept-version:1.2\nhost:x\nlogin:alice\npasscode:demo\n\n\0';
let count = 0;
let cluster: Nodes;
let one: Server;
let two: Server;

beforeAll(async () => {
  cluster = await startNodes(2, {
    TIELINE_HTTP_TRUST_PROXY: 'loopback',
    TIELINE_LOGIN_PER_ACCOUNT_BURST: '2',
    TIELINE_LOGIN_PER_ACCOUNT_REFILL_MS: '600000',
  });
  [one, two] = cluster.nodes as readonly [Server, Server];
  await settled(cluster.nodes);
});
afterAll(() => cluster[Symbol.asyncDispose]());

/** All nodes know each other as living: renewals are seconds apart. */
async function settled(nodes: readonly Server[]): Promise<void> {
  await until(
    () => nodes.every(({ core }) => core.cluster.membership.living.size === nodes.length),
    'the nodes to know each other',
    20_000,
  );
}

/** The path of a new session that hashes to `owner`. */
function sessionOf(owner: Server): string {
  const { self, living } = owner.core.cluster.membership;
  for (;;) {
    const id = `s${count++}`;
    if (ownerOf(id, living) === self) return `/tapi-messenger/000/${id}`;
  }
}

const sessionsOf = async (node: Server): Promise<number> => {
  const text = await (await fetch(`${node.url}/metrics`)).text();
  return Number(/^tieline_stomp_sessions (\d+)/m.exec(text)?.[1]);
};

test('a client that goes away takes its session on the other node with it', async () => {
  const session = sessionOf(two);
  const stream = new RawHttp(one.port);
  stream.request({ method: 'POST', path: `${session}/xhr_streaming`, body: '' });
  await stream.head();
  await stream.chunk();
  expect(await stream.chunk()).toBe('o\n');
  expect([await sessionsOf(one), await sessionsOf(two)]).toEqual([0, 1]);
  stream.abort();
  await until(async () => (await sessionsOf(two)) === 0, 'the session to end');
  expect((await post(one.port, `${session}/xhr`)).body).toBe('c[1002,"Connection interrupted"]\n');
});

test('every fallback over a balancer that sends each request to the next node', async () => {
  await using balancer = await Balancer.over(() => cluster.nodes.map(({ port }) => port));
  await using bob = await StompApp.signIn(balancer.port, 'bob');
  bob.subscribe('/user/queue/messages');
  for (const transport of ['xhr-polling', 'xhr-streaming', 'eventsource'] as const)
    for (let i = 0; i < 2; i++) {
      await using alice = await StompApp.signIn(balancer.port, 'alice', transport);
      alice.subscribe('/user/queue/messages');
      await alice.send('/tapi/message', { to: 'bob', body: `${transport} ${i}` });
      await bob.take(({ json }) => json?.['body'] === `${transport} ${i}`);
      await bob.send('/tapi/message', { to: 'alice', body: `back ${transport} ${i}` });
      await alice.take(({ json }) => json?.['body'] === `back ${transport} ${i}`);
    }
});

test('jsonp, htmlfile and their sends; a session is on the node of its hash, and nowhere else', async () => {
  const before = [await sessionsOf(one), await sessionsOf(two)];
  const jsonp = sessionOf(one);
  expect((await get(two.port, `${jsonp}/jsonp?c=f`)).body).toBe('/**/f("o");\r\n');
  expect([await sessionsOf(one), await sessionsOf(two)]).toEqual([before[0]! + 1, before[1]]);
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
  const frame = `d=${encodeURIComponent(JSON.stringify([CONNECT]))}`;
  expect(await post(two.port, `${jsonp}/jsonp_send`, frame, form)).toMatchObject({ status: 200, body: 'ok' });
  expect((await get(two.port, `${jsonp}/jsonp?c=f`)).body).toContain('CONNECTED');
  const html = sessionOf(two);
  using stream = new RawHttp(one.port);
  stream.request({ method: 'GET', path: `${html}/htmlfile?c=cb` });
  expect((await stream.head()).headers['content-type']).toContain('text/html');
  expect(await stream.chunk()).toContain('parent.cb');
  expect(await stream.chunk()).toContain('p("o")');
  expect((await post(one.port, `${html}/xhr_send`, JSON.stringify([CONNECT]))).status).toBe(204);
  expect(await stream.chunk()).toContain('CONNECTED');
  expect([await sessionsOf(one), await sessionsOf(two)]).toEqual([before[0]! + 1, before[1]! + 1]);
  // What is nobody's is told so, whoever is asked.
  for (const { port } of [one, two]) expect((await post(port, `${sessionOf(two)}/xhr_send`, '["x"]')).status).toBe(404);
  expect((await ask(one.port, { method: 'OPTIONS', path: `${html}/xhr` })).status).toBe(204);
});

test('guards see the client, not the node between', async () => {
  const logIn = async (address: string, passcode: string): Promise<string> => {
    const session = sessionOf(two);
    const headers = { 'X-Forwarded-For': address };
    await post(one.port, `${session}/xhr`, '', headers);
    const frame = `CONNECT\naccept-version:1.2\nhost:x\nlogin:carol\npasscode:${passcode}\n\n\0`;
    await post(one.port, `${session}/xhr_send`, JSON.stringify([frame]), headers);
    const { body } = await post(one.port, `${session}/xhr`, '', headers);
    return /user-name/.test(body) ? 'user' : 'anonymous';
  };
  for (let i = 0; i < 3; i++) expect(await logIn('203.0.113.7', 'wrong')).not.toBe('user');
  expect(await logIn('203.0.113.7', 'demo')).not.toBe('user');
  expect(await logIn('203.0.113.8', 'demo')).toBe('user');
});

test('a session stays where it is when a node comes, and is found there', async () => {
  const sessions = Array.from({ length: 30 }, (_, i) => sessionOf(i % 2 === 0 ? one : two));
  for (const session of sessions) expect((await post(one.port, `${session}/xhr`)).body).toBe('o\n');
  const third = await cluster.start();
  await settled(cluster.nodes);
  const { membership } = third.core.cluster;
  const moved = sessions.filter((path) => ownerOf(path.split('/').at(-1) ?? '', membership.living) === membership.self);
  expect(moved.length).toBeGreaterThan(0);
  for (const session of sessions)
    for (const { port } of [third, one, two])
      expect([session, (await post(port, `${session}/xhr_send`, '["\\n"]')).status]).toEqual([session, 204]);
  expect(await sessionsOf(third)).toBe(0);
});

test('a node dies: streams end, sends are told so, the next poll begins anew; new sessions go elsewhere at once', async () => {
  const polled = sessionOf(two);
  expect((await post(one.port, `${polled}/xhr`)).body).toBe('o\n');
  await using page = await StompApp.signIn(one.port, 'alice', 'xhr-streaming');
  const streams = await Promise.all(
    Array.from({ length: 3 }, async () => {
      const asked = request(`${one.url}${sessionOf(two)}/xhr_streaming`, { method: 'POST' }).end();
      const [answer] = (await once(asked, 'response')) as [IncomingMessage];
      return answer.resume();
    }),
  );
  const ends = streams.map((answer) => once(answer, 'close'));
  const later = sessionOf(two);
  await cluster.kill(two);
  await Promise.all(ends);
  expect((await post(one.port, `${polled}/xhr_send`, '["x"]')).status).toBe(404);
  // sockjs-client takes a second `o` as "server lost session", and connects again.
  expect((await post(one.port, `${polled}/xhr`)).body).toBe('o\n');
  expect((await post(one.port, `${later}/xhr`)).body).toBe('o\n');
  if (page.closes === 0) await page.send('/tapi/message', { to: 'bob', body: 'still here' });
});
