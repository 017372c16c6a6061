import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Nodes, startNodes } from '../kit/nodes.ts';
import { causesOf, device, setUp, signalsOf, textsOf } from '../kit/chat-devices.ts';
import type { Json } from '../kit/pbx-app.ts';
import { until } from '../kit/wait.ts';

// PBX §2, §3 with devices on two nodes: what apps see is what they see on one.

let cluster: Nodes;
let [one, two] = [0, 0];
beforeAll(async () => {
  cluster = await startNodes(2);
  [one, two] = cluster.nodes.map(({ port }) => port) as [number, number];
});
afterEach(() => until(() => sizes().every((size) => size === 0), 'all calls to end on all nodes'));
afterAll(() => cluster[Symbol.asyncDispose]());

const sizes = (): number[] => cluster.nodes.map(({ core }) => core.exchange.size);

test('PBX §3.1 across nodes: the whole flow', async () => {
  await using alice = await device(one, 'alice');
  await using bob = await device(two, 'bob');
  setUp(alice, 1, 'bob');
  await alice.takeSignal('call_proc', 1);
  const offered = await bob.takeSignal('setup');
  expect(offered.call).toBeLessThan(0);
  expect(offered.sig).toMatchObject({
    cg: { num: '201', sip: 'alice' },
    cd: { num: '202', sip: 'bob' },
    fty: [{ type: 'im_setup' }, { type: 'name_identification', name: 'Alice Adams' }],
  });
  bob.signal(offered.call, { type: 'conn' });
  await alice.takeSignal('conn', 1);
  alice.say(1, 'Hi');
  await until(() => bob.texts.length === 1);
  bob.say(offered.call, 'Hello');
  await until(() => alice.texts.length === 1);
  expect([bob.texts[0], alice.texts[0]]).toMatchObject([
    { sender: 'alice', sender_dn: 'Alice Adams', data: 'Hi' },
    { sender: 'bob', sender_dn: 'Bob Brown', data: 'Hello' },
  ]);
  // What is not the PBX's own goes over as it is.
  alice.signal(1, { type: 'user_info', uui: 'a1' });
  expect((await bob.takeSignal('user_info', offered.call)).sig['uui']).toBe('a1');
  bob.signal(offered.call, { type: 'facility', fty: [{ type: 'innovaphone_remote_control', control: 'x' }] });
  await until(() => JSON.stringify(alice.received).includes('innovaphone_remote_control'));
  alice.signal(1, { type: 'rel', cau: { num: 16 } });
  expect((await bob.takeSignal('rel', offered.call)).sig['cau']).toEqual({ num: 16 });
  setUp(alice, 2, 'bob');
  const second = await bob.takeSignal('setup');
  bob.signal(second.call, { type: 'conn' });
  await alice.takeSignal('conn', 2);
  expect(sizes()).toEqual([1, 1]);
  bob.signal(second.call, { type: 'rel', cau: { num: 21 } });
  expect((await alice.takeSignal('rel', 2)).sig['cau']).toEqual({ num: 21 });
});

test('PBX §3.4: all devices on all nodes are offered it, the first wins, the others get 26', async () => {
  await using alice = await device(one, 'alice');
  // dora has no storage right: nobody but a device answers for her.
  await using near = await device(one, 'dora');
  await using far = await device(two, 'dora');
  await using silent = await device(two, 'dora');
  setUp(alice, 1, 'dora');
  const offers = await Promise.all([near, far, silent].map((app) => app.takeSignal('setup')));
  expect(new Set(offers.map(({ sig }) => sig['confId'])).size).toBe(1);
  expect(new Set(offers.map(({ sig }) => sig['callId'])).size).toBe(3);
  near.signal(offers[0]!.call, { type: 'alert' });
  await alice.takeSignal('alert', 1);
  far.signal(offers[1]!.call, { type: 'conn' });
  await alice.takeSignal('conn', 1);
  expect((await near.takeSignal('rel', offers[0]!.call)).sig['cau']).toEqual({ num: 26 });
  expect((await silent.takeSignal('rel', offers[2]!.call)).sig['cau']).toEqual({ num: 26 });
  far.signal(offers[1]!.call, { type: 'rel', cau: { num: 16 } });
  await alice.takeSignal('rel', 1);
  expect([near, far, silent].map((app) => signalsOf(app, 'setup').length)).toEqual([1, 1, 1]);
});

test('devices on two nodes that accept at once: one has it', async () => {
  await using alice = await device(one, 'alice');
  const devices = [await device(one, 'dora'), await device(two, 'dora')] as const;
  const winners: number[] = [];
  for (let round = 1; round <= 6; round++) {
    setUp(alice, round, 'dora');
    const offers = await Promise.all(devices.map((app) => app.takeSignal('setup')));
    devices.forEach((app, i) => {
      app.signal(offers[i]!.call, { type: 'conn' });
      app.say(offers[i]!.call, `${i}`);
    });
    await alice.takeSignal('conn', round);
    await until(() => alice.texts.length === round);
    winners.push(Number(alice.texts[round - 1]?.['data']));
    alice.signal(round, { type: 'rel' });
    const ends = await Promise.all(devices.map((app, i) => app.takeSignal('rel', offers[i]!.call)));
    expect(ends.map(({ sig }) => (sig['cau'] as Json)['num'])).toEqual(winners.at(-1) === 0 ? [16, 26] : [26, 16]);
  }
  await Promise.all(devices.map((app) => app.close()));
});

test('PBX §3.3: causes', async () => {
  await using alice = await device(one, 'alice');
  setUp(alice, 1, 'dora');
  expect((await alice.takeSignal('rel', 1)).sig['cau']).toEqual({ num: 20 });
  await using near = await device(one, 'dora');
  await using far = await device(two, 'dora');
  setUp(alice, 2, 'dora');
  const offers = await Promise.all([near, far].map((app) => app.takeSignal('setup')));
  far.signal(offers[1]!.call, { type: 'rel', cau: { num: 21 } });
  near.signal(offers[0]!.call, { type: 'rel', cau: { num: 17 } });
  expect((await alice.takeSignal('rel', 2)).sig['cau']).toEqual({ num: 21 });
  setUp(alice, 3, 'dora');
  const again = await Promise.all([near, far].map((app) => app.takeSignal('setup')));
  alice.signal(3, { type: 'rel', cau: { num: 16 } });
  await near.takeSignal('rel', again[0]!.call);
  await far.takeSignal('rel', again[1]!.call);
  expect([causesOf(near), causesOf(far)]).toEqual([[16], [16]]);
  // A call that is over, or was never there.
  far.signal(again[1]!.call, { type: 'conn' });
  expect((await far.takeSignal('rel', again[1]!.call)).sig['cau']).toEqual({ num: 81 });
});

test('a device that registers while the call is offered is offered it too, on whatever node', async () => {
  await using alice = await device(one, 'alice');
  await using first = await device(one, 'dora');
  setUp(alice, 1, 'dora');
  const offered = await first.takeSignal('setup');
  await using late = await device(two, 'dora');
  const joined = await late.takeSignal('setup');
  expect(joined.sig['confId']).toBe(offered.sig['confId']);
  late.signal(joined.call, { type: 'conn' });
  expect((await first.takeSignal('rel', offered.call)).sig['cau']).toEqual({ num: 26 });
});

test('registrations: one device on two nodes is two; a second on one connection ends the first’s calls', async () => {
  await using alice = await device(one, 'alice');
  await using near = await device(one, 'dora', { hw: 'chat-dora' });
  await using far = await device(two, 'dora', { hw: 'chat-dora' });
  setUp(alice, 1, 'dora');
  const offers = await Promise.all([near, far].map((app) => app.takeSignal('setup')));
  far.signal(offers[1]!.call, { type: 'conn' });
  await alice.takeSignal('conn', 1);
  expect((await far.register({ hw: 'chat-dora' }))['err']).toBeUndefined();
  expect((await alice.takeSignal('rel', 1)).sig['cau']).toEqual({ num: 16 });
  setUp(alice, 2, 'dora');
  const anew = await Promise.all([near, far].map((app) => app.takeSignal('setup')));
  far.signal(anew[1]!.call, { type: 'conn' });
  await alice.takeSignal('conn', 2);
  far.socket.terminate();
  expect((await alice.takeSignal('rel', 2)).sig['cau']).toEqual({ num: 27 });
});

test('media: a registration that takes it is called on another node; what the two say to each other goes over', async () => {
  await using alice = await device(one, 'alice');
  await using phone = await device(two, 'bob', { flags: '' });
  await using chat = await device(two, 'bob');
  const channels = { source: 'LOCAL', ch: [{ coder: 'OPUS-WB', xmit: 20 }] };
  alice.signal(1, { type: 'setup', channel: -1, cd: { num: '202' }, channels_cmd: 'PROPOSAL', channels });
  const { call, sig } = await phone.takeSignal('setup');
  expect(sig).toMatchObject({ channel: -1, channels_cmd: 'PROPOSAL', channels });
  phone.signal(call, { type: 'conn', channels_cmd: 'SELECT', channels });
  expect((await alice.takeSignal('conn', 1)).sig).toMatchObject({ channels_cmd: 'SELECT', channels });
  alice.signal(1, { type: 'rel', cau: { num: 16 } });
  await phone.takeSignal('rel', call);
  expect(signalsOf(chat, 'setup')).toEqual([]);
});

test('what is too much for another node ends the call, and nothing else', async () => {
  await using alice = await device(one, 'alice');
  await using bob = await device(two, 'bob');
  bob.acceptChats();
  await alice.callChat(1, 'bob');
  await alice.callChat(2, 'bob');
  await until(() => signalsOf(bob, 'setup').length === 2);
  alice.signal(1, { type: 'user_info', uui: 'x'.repeat(300_000) });
  expect((await alice.takeSignal('rel', 1)).sig['cau']).toEqual({ num: 111 });
  expect((await bob.takeSignal('rel', -1)).sig['cau']).toEqual({ num: 111 });
  bob.signal(-2, { type: 'user_info', uui: 'x'.repeat(300_000) });
  expect((await alice.takeSignal('rel', 2)).sig['cau']).toEqual({ num: 111 });
  setUp(alice, 3, 'bob', { channels: 'x'.repeat(300_000) });
  alice.say(2, 'is over');
  await alice.callChat(4, 'bob');
  alice.say(4, 'goes on');
  await until(() => textsOf(bob).includes('goes on'));
});
