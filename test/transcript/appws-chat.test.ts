import { afterAll, beforeAll, expect, test } from 'vitest';
import { PbxApp } from '../kit/pbx-app.ts';
import { until } from '../kit/wait.ts';
import { startWorld, type World } from '../kit/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(async () => {
  await world.close();
});

async function device(name: string, fields: Record<string, unknown> = {}): Promise<PbxApp> {
  const app = await PbxApp.signIn(world.port, { sip: name });
  expect((await app.register({ hw: `chat-${name}`, ...fields }))['err']).toBeUndefined();
  return app;
}

test('PBX §3.1: the whole flow of a chat between two apps', async () => {
  await using alice = await device('alice');
  await using bob = await device('bob');
  alice.signal(1, {
    type: 'setup',
    bc: 'a880',
    channel: 0,
    complete: true,
    cg: { num: '999', sip: 'mallory' },
    cd: { sip: 'bob' },
    fty: [{ type: 'im_setup' }],
  });
  await alice.takeSignal('call_proc', 1);
  const offered = await bob.takeSignal('setup');
  expect(offered.call).toBeLessThan(0);
  expect(offered.sig).toMatchObject({
    bc: 'a880',
    channel: 0,
    complete: true,
    cg: { num: '201', sip: 'alice' },
    cd: { num: '202', sip: 'bob' },
  });
  expect(offered.sig['fty']).toEqual([{ type: 'im_setup' }, { type: 'name_identification', name: 'Alice Adams' }]);
  bob.signal(offered.call, { type: 'conn' });
  const connected = await alice.takeSignal('conn', 1);
  expect(connected.sig['fty']).toEqual([{ type: 'name_identification', name: 'Bob Brown' }]);

  alice.signal(1, { type: 'facility', fty: [{ type: 'im_message', typing: true }] });
  const typing = await bob.takeSignal('facility', offered.call);
  expect(typing.sig['fty']).toMatchObject([{ type: 'im_message', typing: true }]);

  const before = Math.floor(Date.now() / 1_000) - 1;
  alice.signal(1, {
    type: 'facility',
    fty: [
      {
        type: 'im_message',
        sender: 'mallory',
        sender_dn: 'M',
        mime: 'text/html',
        data: '<b onclick="x()">Hi</b> Bob',
        attach: '',
      },
    ],
  });
  await until(() => bob.texts.length === 1);
  expect(bob.texts[0]).toMatchObject({
    sender: 'alice',
    sender_dn: 'Alice Adams',
    mime: 'text/html',
    data: '<b>Hi</b> Bob',
    attach: '',
  });
  expect(Number(bob.texts[0]?.['time'])).toBeGreaterThanOrEqual(before);

  bob.say(offered.call, 'Hello Alice');
  await until(() => alice.texts.length === 1);
  expect(alice.texts[0]).toMatchObject({ sender: 'bob', sender_dn: 'Bob Brown', data: 'Hello Alice' });

  alice.signal(1, { type: 'rel', cau: { num: 16 } });
  const ended = await bob.takeSignal('rel', offered.call);
  expect(ended.sig['cau']).toEqual({ num: 16 });
});

test('texts sent on call_proc are kept until the callee accepts, in order', async () => {
  await using alice = await device('alice');
  await using bob = await device('bob');
  alice.signal(1, {
    type: 'setup',
    bc: 'a880',
    channel: 0,
    complete: true,
    cd: { sip: 'bob' },
    fty: [{ type: 'im_setup' }],
  });
  await alice.takeSignal('call_proc', 1);
  for (const text of ['one', 'two', 'three']) alice.say(1, text);
  const { call } = await bob.takeSignal('setup');
  bob.signal(call, { type: 'conn' });
  await until(() => bob.texts.length === 3);
  expect(bob.texts.map((text) => text['data'])).toEqual(['one', 'two', 'three']);
});

test('a long text comes in pieces with `more` and goes on as one', async () => {
  await using alice = await device('alice');
  await using bob = await device('bob');
  bob.acceptChats();
  await alice.callChat(1, 'bob');
  await until(() => bob.received.some((m) => m['mt'] === 'Signaling'));
  alice.say(1, 'a'.repeat(9_000), { more: true });
  alice.say(1, 'b'.repeat(9_000));
  await until(() => bob.texts.map((text) => text['data']).join('').length === 18_000);
  expect(bob.texts.at(-1)?.['more']).toBeUndefined();
  expect(bob.texts.map((text) => text['data']).join('')).toBe('a'.repeat(9_000) + 'b'.repeat(9_000));
});

test('PBX §3.3: causes of calls that nobody takes', async () => {
  await using dora = await device('dora');
  dora.signal(1, {
    type: 'setup',
    bc: 'a880',
    channel: 0,
    complete: true,
    cd: { sip: 'nobody' },
    fty: [{ type: 'im_setup' }],
  });
  expect((await dora.takeSignal('rel', 1)).sig['cau']).toEqual({ num: 1 });
  expect(dora.received.some((m) => (m['sig'] as { type?: string } | undefined)?.type === 'call_proc')).toBe(false);
  dora.signal(2, {
    type: 'setup',
    bc: 'a880',
    channel: 0,
    complete: true,
    cd: { sip: 'dora' },
    fty: [{ type: 'im_setup' }],
  });
  expect((await dora.takeSignal('rel', 2)).sig['cau']).toEqual({ num: 17 });
  dora.signal(99, { type: 'facility', fty: [] });
  expect((await dora.takeSignal('rel', 99)).sig['cau']).toEqual({ num: 81 });

  await using carol = await device('carol');
  await using dora2 = await device('dora');
  carol.signal(1, { type: 'setup', bc: 'a880', channel: 0, complete: true, cd: { num: '204' }, fty: [] });
  await carol.takeSignal('call_proc', 1);
  for (const app of [dora, dora2]) {
    const { call } = await app.takeSignal('setup');
    app.signal(call, { type: 'rel', cau: { num: app === dora ? 17 : 21 } });
  }
});

test('nobody is there and nobody may store: 20', async () => {
  await using dora = await device('dora');
  const dora2 = await PbxApp.signIn(world.port, { app: 'chat' });
  await dora2.register();
  await dora2.close();
  dora.signal(1, {
    type: 'setup',
    bc: 'a880',
    channel: 0,
    complete: true,
    cd: { sip: 'chat' },
    fty: [{ type: 'im_setup' }],
  });
  await dora.takeSignal('call_proc', 1);
  expect((await dora.takeSignal('rel', 1)).sig['cau']).toEqual({ num: 20 });
});

test('offline with the storage right: the PBX answers, the text waits and comes when bob registers with his place', async () => {
  const first = await device('bob', { resume: '' });
  await first.close();
  await using alice = await device('alice');
  await alice.callChat(1, 'bob');
  alice.say(1, 'read me later', { idem: 'later-1' });
  const stored = await alice.take((m) => JSON.stringify(m).includes('im_message_result'));
  expect(JSON.stringify(stored)).toContain('later-1');
  const user = await world.server.core.directory.requireUser({ by: 'name', value: 'bob' });
  const history = await world.server.core.conversations.history({ kind: 'server' }, { user: user.id, limit: 1 });
  expect(history[0]).toMatchObject({ body: 'read me later', type: 'text/plain' });
});

test('PBX §3.4: two devices are offered the chat, the first wins, the other gets 26', async () => {
  await using alice = await device('alice');
  await using bob1 = await device('bob');
  await using bob2 = await device('bob');
  alice.signal(1, {
    type: 'setup',
    bc: 'a880',
    channel: 0,
    complete: true,
    cd: { sip: 'bob' },
    fty: [{ type: 'im_setup' }],
  });
  const one = await bob1.takeSignal('setup');
  const two = await bob2.takeSignal('setup');
  expect(one.sig['confId']).toBe(two.sig['confId']);
  expect(one.sig['callId']).not.toBe(two.sig['callId']);
  bob2.signal(two.call, { type: 'conn' });
  expect((await bob1.takeSignal('rel', one.call)).sig['cau']).toEqual({ num: 26 });
  alice.say(1, 'to the winner');
  await until(() => bob2.texts.length === 1);
  expect(bob1.texts).toEqual([]);
});

test('a lost connection releases the other side with 27', async () => {
  const alice = await device('alice');
  await using bob = await device('bob');
  bob.acceptChats();
  await alice.callChat(1, 'bob');
  const { call } = await bob.takeSignal('setup');
  alice.socket.terminate();
  expect((await bob.takeSignal('rel', call)).sig['cau']).toEqual({ num: 27 });
});

test('logins: App objects in every right form, and what is refused', async () => {
  await using app = await PbxApp.open(world.port);
  expect(await app.login({ app: 'chat' })).toMatchObject({ ok: true });
  await using wrong = await PbxApp.open(world.port);
  expect((await wrong.login({ app: 'chat', password: 'Demo' }))['ok']).not.toBe(true);
  await using unknown = await PbxApp.open(world.port);
  expect((await unknown.login({ app: 'nothing' }))['ok']).not.toBe(true);
  await using umlaut = await PbxApp.open(world.port);
  expect(await umlaut.login({ app: 'echo', password: 'geheim-ä' })).toMatchObject({ ok: true });
  await using noGrant = await PbxApp.signIn(world.port, { app: 'cti' });
  noGrant.send({ api: 'PbxSignal', mt: 'Register', src: 'x' });
  const answer = await noGrant.take((m) => m['src'] === 'x');
  expect(answer['err'] ?? answer['error']).toBeDefined();
});
