import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { until } from '../../../../../test/kit/wait.ts';
import { deferred } from '../../kit/index.ts';
import { MAX_WAITING_RECEIPTS } from './limits.ts';
import { RawStomp } from './test/raw-stomp.ts';
import { startNode, type TestNode } from './test/start-node.ts';

describe('users on STOMP (design §7)', () => {
  let node: TestNode;
  const clients: RawStomp[] = [];

  beforeAll(async () => {
    node = await startNode({ settings: { stomp: { sendBufferBytes: 65_536 } } });
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close();
    await until(() => node.surface.size === 0);
    expect(node.told.filter((line) => line.startsWith('trouble'))).toEqual([]);
  });
  afterAll(() => node.close());

  async function signIn(name: string, password = 'demo'): Promise<RawStomp> {
    const client = new RawStomp(node.port);
    clients.push(client);
    await client.opened();
    client.send(`CONNECT\naccept-version:1.2\nlogin:${name}\npasscode:${password}\n\n`);
    const connected = await client.take('CONNECTED');
    expect(connected.includes(`\nuser-name:${name}\n`)).toBe(password === 'demo' && name !== 'mylogin');
    await client.subscribe('errors', '/user/queue/errors');
    return client;
  }
  async function inbox(name: string, resume?: string): Promise<RawStomp & { position: string }> {
    const client = await signIn(name);
    const header = resume === undefined ? '' : `resume:${resume}\n`;
    client.send(`SUBSCRIBE\nid:in\ndestination:/user/queue/messages\nreceipt:in\n${header}\n`);
    const position = headerOf(await client.take('receipt-id:in'), 'position');
    return Object.assign(client, { position });
  }
  const headerOf = (frame: string, name: string): string => new RegExp(`\n${name}:(.*)`).exec(frame)?.[1] ?? '';
  const bodyOf = (frame: string): Record<string, unknown> => JSON.parse(frame.slice(frame.indexOf('\n\n') + 2, -1));
  function say(client: RawStomp, to: string, body: string, headers = ''): void {
    client.send(`SEND\ndestination:/tapi/message\n${headers}\n${JSON.stringify({ to, body })}`);
  }

  test('wrong or no credentials make an anonymous session, which may use the original requests only', async () => {
    for (const [name, password] of [
      ['alice', 'wrong'],
      ['nobody', 'demo2'],
      ['mylogin', 'mypasswd'],
    ] as const) {
      const client = await signIn(name, password);
      client.send('SUBSCRIBE\nid:1\ndestination:/user/queue/messages\nreceipt:r1\n\n');
      expect(bodyOf(await client.take('errors'))).toMatchObject({ code: 'forbidden', receipt: 'r1' });
      client.send('SUBSCRIBE\nid:2\ndestination:/topic/presence.alice\nreceipt:r2\n\n');
      expect(bodyOf(await client.take('errors'))).toMatchObject({ code: 'forbidden', receipt: 'r2' });
      say(client, 'bob', 'hi', 'receipt:r3\n');
      expect(bodyOf(await client.take('errors'))).toMatchObject({ code: 'forbidden', receipt: 'r3' });
      await client.settle();
      expect(client.messages).toEqual([]);
    }
    expect(node.told).toContain('login-failed alice');
    expect(node.told).not.toContain('login-failed mylogin');
  });

  test('a message is stored, told to the receiver, and to other sessions of its sender', async () => {
    const alice = await inbox('alice');
    const other = await inbox('alice');
    const bob = await inbox('bob');
    say(alice, 'bob', 'zażółć <b>', 'receipt:s1\n');
    const receipt = await alice.take('receipt-id:s1');
    const got = await bob.take('MESSAGE');
    const message = bodyOf(got);
    expect(message).toEqual({
      id: headerOf(receipt, 'id'),
      from: 'alice',
      to: 'bob',
      body: 'zażółć <b>',
      at: expect.any(Number),
      seq: 1,
      attach: [],
      data: null,
    });
    expect(headerOf(receipt, 'seq')).toBe('1');
    expect(headerOf(got, 'position')).toMatch(/^[0-9a-z]+\.\d+$/);
    expect(headerOf(got, 'direction')).toBe('');
    const echo = await other.take('MESSAGE');
    expect(bodyOf(echo)).toEqual(message);
    expect(headerOf(echo, 'direction')).toBe('out');
    await alice.settle();
    expect(alice.messages).toEqual([]);
  });

  test('HTML comes with its plain text, data and attachments as they were sent', async () => {
    const alice = await signIn('alice');
    const bob = await inbox('bob');
    const body = {
      to: 'bob@example.test',
      html: '<b>a</b><br>b<script>x</script>',
      attach: ['https://x/1'],
      data: { k: [1] },
    };
    alice.send(`SEND\ndestination:/tapi/message\nreceipt:r\n\n${JSON.stringify(body)}`);
    await alice.take('receipt-id:r');
    expect(bodyOf(await bob.take('MESSAGE'))).toMatchObject({
      body: 'a\nb',
      html: '<b>a</b><br/>b',
      attach: ['https://x/1'],
      data: { k: [1] },
    });
  });

  test.each([
    ['too-large', { to: 'bob', body: 'x'.repeat(30_001) }],
    ['too-large', { to: 'bob', body: 'x', data: { x: 'x'.repeat(16_384) } }],
    ['unknown-recipient', { to: 'nobody', body: 'x' }],
    ['unknown-recipient', { to: 'bob@elsewhere.test', body: 'x' }],
    ['bad-request', { to: 'alice', body: 'x' }],
    ['bad-request', { to: 'bob' }],
    ['bad-request', { body: 'x' }],
    ['bad-request', 'text'],
  ])('%s: refused without a receipt', async (code, body) => {
    const alice = await signIn('alice');
    alice.send(`SEND\ndestination:/tapi/message\nreceipt:r\n\n${JSON.stringify(body)}`);
    expect(bodyOf(await alice.take('errors'))).toMatchObject({ code, destination: '/tapi/message', receipt: 'r' });
    await alice.settle();
    expect(alice.messages).toEqual([]);
  });

  test('an idempotency key is applied once; another body is a conflict', async () => {
    const alice = await signIn('alice');
    const bob = await inbox('bob');
    say(alice, 'bob', 'once', 'idempotency-key:k1\nreceipt:r1\n');
    say(alice, 'bob', 'once', 'idempotency-key:k1\nreceipt:r2\n');
    say(alice, 'bob', 'twice', 'idempotency-key:k1\nreceipt:r3\n');
    const first = await alice.take('receipt-id:r1');
    const second = await alice.take('receipt-id:r2');
    expect(headerOf(second, 'id')).toBe(headerOf(first, 'id'));
    expect(headerOf(second, 'repeat')).toBe('true');
    expect(bodyOf(await alice.take('errors'))).toMatchObject({ code: 'idempotency-conflict', receipt: 'r3' });
    await bob.take('once');
    say(alice, 'bob', 'marker');
    await bob.take('marker');
    expect(bob.messages).toEqual([]);
  });

  test('messages of one session keep their order, and so do their receipts', async () => {
    const alice = await signIn('alice');
    const bob = await inbox('bob');
    for (let i = 0; i < 300; i++) say(alice, 'bob', `n${i}`, `receipt:r${i}\n`);
    alice.send('UNSUBSCRIBE\nid:none\nreceipt:r300\n\n');
    await until(() => alice.messages.length === 301, 'all receipts');
    const receipts = alice.messages.map((frame) => headerOf(frame, 'receipt-id'));
    expect(receipts).toEqual(Array.from({ length: 301 }, (_, i) => `r${i}`));
    await until(() => bob.messages.length === 300);
    expect(bob.messages.map((frame) => bodyOf(frame)['body'])).toEqual(Array.from({ length: 300 }, (_, i) => `n${i}`));
  });

  test('more receipts than may wait for a slow store hold back their session, and come in order', async () => {
    const alice = await signIn('alice');
    const stored = deferred<void>();
    const { conversations } = node.core;
    using slow = vi.spyOn(conversations, 'send').mockImplementationOnce(async (...sent) => {
      await stored.promise;
      return conversations.send(...sent);
    });
    const count = 2 * MAX_WAITING_RECEIPTS;
    say(alice, 'bob', 'slow', 'receipt:r0\n');
    for (let i = 1; i <= count; i++) alice.send(`UNSUBSCRIBE\nid:none\nreceipt:r${i}\n\n`);
    await alice.heard();
    expect([slow.mock.calls.length, alice.messages]).toEqual([1, []]);
    stored.resolve();
    await until(() => alice.messages.length > count, 'all receipts');
    const receipts = alice.messages.map((frame) => headerOf(frame, 'receipt-id'));
    expect(receipts).toEqual(Array.from({ length: count + 1 }, (_, i) => `r${i}`));
  });

  test('what was missed comes after resume; an unknown token is told to start afresh', async () => {
    const alice = await signIn('alice');
    const bob = await inbox('bob');
    await bob.close();
    say(alice, 'bob', 'missed 1', 'receipt:a\n');
    say(alice, 'bob', 'missed 2', 'receipt:b\n');
    await alice.take('receipt-id:b');
    const again = await inbox('bob', bob.position);
    const one = await again.take('missed 1');
    await again.take('missed 2');
    await again.close();
    const later = await inbox('bob', headerOf(one, 'position'));
    await later.take('missed 2');
    expect(later.messages.filter((m) => m.includes('missed'))).toEqual([]);
    const lost = await inbox('bob', 'nonsense');
    const report = bodyOf(await lost.take('errors'));
    expect(report).toMatchObject({ code: 'resync', destination: '/user/queue/messages', position: expect.any(String) });
    say(alice, 'bob', 'fresh');
    await lost.take('fresh');
  });

  test('nobody with the storage right: taken by a live session, else refused', async () => {
    await node.core.directory.addUser({
      name: 'erin',
      displayName: 'Erin',
      number: null,
      password: 'demo',
      hasStorage: false,
    });
    const erin = await signIn('erin');
    say(erin, 'dora', 'anybody?', 'receipt:r1\n');
    expect(bodyOf(await erin.take('errors'))).toMatchObject({ code: 'recipient-unavailable', receipt: 'r1' });
    const dora = await inbox('dora');
    say(erin, 'dora', 'now', 'receipt:r2\n');
    expect(headerOf(await erin.take('receipt-id:r2'), 'seq')).toBe('0');
    const got = await dora.take('now');
    expect(bodyOf(got)).toMatchObject({ from: 'erin', seq: 0 });
    expect(headerOf(got, 'position')).toBe('');
  });

  test('presence of a user, as it stands and as it changes', async () => {
    const alice = await signIn('alice');
    await alice.subscribe('p', '/topic/presence.bob');
    expect(bodyOf(await alice.take('presence'))).toMatchObject({ user: 'bob', online: false, show: 'offline' });
    const bob = await inbox('bob');
    expect(bodyOf(await alice.take('presence'))).toMatchObject({ online: true, show: 'available' });
    await bob.close();
    expect(bodyOf(await alice.take('presence'))).toMatchObject({ online: false });
    alice.send('SUBSCRIBE\nid:q\ndestination:/topic/presence.nobody\n\n');
    expect(bodyOf(await alice.take('errors'))).toMatchObject({ code: 'unknown-destination' });
    alice.send('UNSUBSCRIBE\nid:p\n\n');
    await alice.settle();
    await inbox('bob');
    await alice.settle();
    expect(alice.messages).toEqual([]);
  });

  test('a signed-in user listens to his own number, and acts on its calls', async () => {
    const bob = await signIn('bob');
    await bob.subscribe('in', '/user/queue/incoming-call');
    await bob.subscribe('state', '/user/queue/call-state');
    bob.send('SEND\ndestination:/tapi/listen\nreceipt:l\n\n');
    await bob.take('receipt-id:l');
    node.engine.report({ ref: 'x1', number: '202', peer: '201' });
    expect(await bob.take('incoming-call')).toContain('\n\n{"name":"Alice","phone":"201"}\0');
    const state = bodyOf(await bob.take('call-state'));
    expect(state).toMatchObject({ state: 'RINGING', phone: '201', own: '202', direction: 'inbound' });
    const { callId } = state;
    bob.send(`SEND\ndestination:/tapi/answer\nreceipt:a\n\n${JSON.stringify({ callId })}`);
    await bob.take('receipt-id:a');
    node.engine.report({ ref: 'x1', number: '202', peer: '201', state: 'connected' });
    expect(bodyOf(await bob.take('call-state'))).toMatchObject({ state: 'CONNECTED' });
    bob.send(`SEND\ndestination:/tapi/hold\nreceipt:h\n\n${JSON.stringify({ callId, on: true })}`);
    await bob.take('receipt-id:h');
    bob.send(`SEND\ndestination:/tapi/transfer\nreceipt:t\n\n${JSON.stringify({ callId, toNumber: '203' })}`);
    await bob.take('receipt-id:t');
    bob.send(`SEND\ndestination:/tapi/hangup\nreceipt:u\n\n${JSON.stringify({ callId })}`);
    await bob.take('receipt-id:u');
    expect(node.engine.commands.filter((c) => c.endsWith(' x1'))).toEqual([
      'answer x1',
      'hold x1',
      'transfer to 203 x1',
      'hangup x1',
    ]);
    node.engine.report({ ref: 'x1', number: '202', peer: '201', state: 'ended', end: 'missed' });
    expect(bodyOf(await bob.take('call-state'))).toMatchObject({ state: 'MISSED' });
    bob.send(`SEND\ndestination:/tapi/answer\nreceipt:n\n\n${JSON.stringify({ callId })}`);
    expect(bodyOf(await bob.take('errors'))).toMatchObject({ code: 'no-such-call', receipt: 'n' });
  });

  test('nobody acts on the calls of somebody else', async () => {
    const bob = await signIn('bob');
    await bob.subscribe('state', '/user/queue/call-state');
    bob.send('SEND\ndestination:/tapi/listen\n\n');
    await bob.settle();
    node.engine.report({ ref: 'x2', number: '202', peer: '201' });
    const { callId } = bodyOf(await bob.take('call-state'));
    const carol = await signIn('carol');
    for (const command of ['answer', 'hangup', 'hold']) {
      carol.send(`SEND\ndestination:/tapi/${command}\n\n${JSON.stringify({ callId })}`);
      expect(bodyOf(await carol.take('errors'))).toMatchObject({ code: 'forbidden' });
    }
    node.engine.report({ ref: 'x2', number: '202', peer: '201', state: 'ended' });
  });

  test('an application session of somebody else does not open a telephone to a signed-in user', async () => {
    const carol = await signIn('carol');
    await carol.subscribe('r', '/topic/is-listen-init');
    carol.send('SEND\ndestination:/tapi/listen\napex_session:1001\n\n');
    await carol.take('FAILED TO FIND NUMBER FOR THIS SESSION');
  });

  test('an application session grants a telephone, never chat', async () => {
    const page = await signIn('mylogin', 'mypasswd');
    await page.subscribe('r', '/topic/is-listen-init');
    page.send('SEND\ndestination:/tapi/listen\napex_session:1001\n\n');
    await page.take('LISTENING STARTED for number: 201');
    say(page, 'bob', 'hi', 'receipt:r\n');
    expect(bodyOf(await page.take('errors'))).toMatchObject({ code: 'forbidden' });
  });

  test('sessions of an account that is locked end', async () => {
    const frank = await node.core.directory.addUser({
      name: 'frank',
      displayName: 'Frank',
      number: null,
      password: 'demo',
    });
    const client = await signIn('frank');
    await node.core.directory.changeUser(frank.id, { isLocked: true });
    expect((await client.over()).code).toBe(1008);
  });

  test('one who reads slowly is caught up from the journal, and nothing is kept for it', async () => {
    const alice = await signIn('alice');
    const bob = await inbox('bob');
    bob.ws.pause();
    const text = 'y'.repeat(20_000);
    for (let i = 0; i < 400; i++) say(alice, 'bob', `${i} ${text}`, `receipt:r${i}\n`);
    await until(() => alice.messages.some((m) => m.includes('receipt-id:r399\n')), 'all receipts', 20_000);
    expect(node.surface.size).toBe(2);
    bob.ws.resume();
    await until(() => bob.messages.length === 400, 'all messages', 20_000);
    expect(bob.messages.map((m) => Number(String(bodyOf(m)['body']).split(' ')[0]))).toEqual(
      Array.from({ length: 400 }, (_, i) => i),
    );
  }, 60_000);
});

test('auth.mode=required refuses with ERROR; static knows its own logins', async () => {
  await using required = await startNode({ settings: { auth: { mode: 'required' } } });
  for (const credentials of ['', 'login:alice\npasscode:no\n', 'login:mylogin\npasscode:mypasswd\n']) {
    const client = new RawStomp(required.port);
    await client.opened();
    client.send(`CONNECT\naccept-version:1.2\n${credentials}\n`);
    expect(await client.take('ERROR')).toContain('message:Bad CONNECT\n');
    expect(await client.over()).toEqual({ code: 1002, reason: 'STOMP error' });
  }
  await using named = await startNode({ settings: { auth: { mode: 'static', users: { guest: 'guest' } } } });
  const guest = await RawStomp.connect(named.port, 'CONNECT\naccept-version:1.2\nlogin:guest\npasscode:guest\n');
  await guest.close();
  const wrong = new RawStomp(named.port);
  await wrong.opened();
  wrong.send('CONNECT\nlogin:guest\npasscode:no\n\n');
  await wrong.take('Bad CONNECT');
});
