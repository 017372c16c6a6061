import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MAX_TEXTS_UNDER_WAY } from '../../packages/server/src/protocols/appws/apis/pbx-signal/registration.ts';
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

const CHAT = { type: 'setup', bc: 'a880', channel: 0, complete: true, fty: [{ type: 'im_setup' }] };

async function device(name: string, fields: Record<string, unknown> = {}): Promise<PbxApp> {
  const app = await PbxApp.signIn(world.port, { sip: name });
  expect((await app.register({ hw: `chat-${name}`, ...fields }))['err']).toBeUndefined();
  return app;
}

function types(app: PbxApp): readonly unknown[] {
  return app.received.map((m) => (m['mt'] === 'Signaling' ? (m['sig'] as { type?: unknown }).type : m['mt']));
}

test('a device that registers while the store answers for its user still gets the texts', async () => {
  await using alice = await device('alice');
  await alice.callChat(1, 'bob');
  alice.say(1, 'while you were away', { idem: 'away-1' });
  await alice.take((m) => JSON.stringify(m).includes('im_message_result'));
  await using bob = await device('bob');
  bob.acceptChats();
  alice.say(1, 'now you are there');
  await until(() => bob.texts.some((text) => text['data'] === 'now you are there'), 'the text at bob', 3_000);
});

test('a device that refused the chat is not called again for each text', async () => {
  await using alice = await device('alice');
  await using bob = await device('bob');
  await alice.callChat(1, 'bob');
  const { call } = await bob.takeSignal('setup');
  bob.signal(call, { type: 'rel', cau: { num: 21 } });
  alice.say(1, 'not wanted', { idem: 'refused-1' });
  await alice.take((m) => JSON.stringify(m).includes('refused-1'));
  alice.say(1, 'not wanted either', { idem: 'refused-2' });
  await alice.take((m) => JSON.stringify(m).includes('refused-2'));
  bob.send({ api: 'PbxSignal', mt: 'Nonsense', src: 'mark' });
  await bob.take((m) => m['src'] === 'mark');
  expect(types(bob).filter((type) => type === 'setup')).toHaveLength(1);
});

test('a call that is being offered comes after RegisterResult', async () => {
  await using alice = await device('alice');
  await using first = await device('bob');
  alice.signal(1, { ...CHAT, cd: { sip: 'bob' } });
  await first.takeSignal('setup');
  await using second = await device('bob');
  await second.takeSignal('setup');
  const seen = types(second);
  expect(seen.indexOf('RegisterResult')).toBeLessThan(seen.indexOf('setup'));
});

test('a frame with too many facilities ends its call at both sides', async () => {
  await using alice = await device('alice');
  await using bob = await device('bob');
  bob.acceptChats();
  await alice.callChat(1, 'bob');
  const { call } = await bob.takeSignal('setup');
  alice.signal(1, { type: 'facility', fty: Array.from({ length: 101 }, () => ({ type: 'call_waiting' })) });
  expect((await alice.takeSignal('rel', 1)).sig['cau']).toEqual({ num: 111 });
  expect((await bob.takeSignal('rel', call)).sig['cau']).toEqual({ num: 111 });
});

test('what nests too deep to be passed on ends the call, not the server', async () => {
  await using alice = await device('alice');
  await using bob = await device('bob');
  bob.acceptChats();
  await alice.callChat(1, 'bob');
  const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
  const sig = `{"type":"facility","fty":[{"type":"ct_identify","x":${deep}}]}`;
  alice.socket.send(`{"api":"PbxSignal","mt":"Signaling","call":1,"sig":${sig}}`);
  expect((await alice.takeSignal('rel', 1)).sig['cau']).toEqual({ num: 111 });
  alice.socket.send(`{"api":"PbxSignal","mt":"Signaling","call":2,"sig":{"type":"setup","channels":${deep}}}`);
  expect((await alice.takeSignal('rel', 2)).sig['cau']).toEqual({ num: 111 });
});

test('fragments without text, and keys without end, are bounded', async () => {
  await using alice = await device('alice');
  await using bob = await device('bob');
  bob.acceptChats();
  await alice.callChat(1, 'bob');
  const attach = Array.from({ length: 100 }, () => 'x'.repeat(9_000)).join(' ');
  for (let i = 0; i < 3; i++) alice.say(1, '', { attach, more: true });
  expect((await alice.takeSignal('rel', 1)).sig['cau']).toEqual({ num: 111 });
  await alice.callChat(2, 'bob');
  for (let i = 0; i < 2_000; i++) alice.say(2, '', { more: true });
  expect((await alice.takeSignal('rel', 2)).sig['cau']).toEqual({ num: 111 });
  await alice.callChat(3, 'bob');
  alice.say(3, 'hello', { idem: 'k'.repeat(201) });
  expect((await alice.takeSignal('rel', 3)).sig['cau']).toEqual({ num: 111 });
});

test('who may not see a presence is told what everybody is told of an invisible user (PBX §4)', async () => {
  await world.server.core.directory.addApp(
    {
      name: 'blind',
      displayName: 'Blind',
      grants: ['PbxSignal'],
      url: null,
      hasWebsocket: false,
      isHidden: false,
      apps: [],
      users: 'all',
    },
    'demo',
  );
  await using app = await PbxApp.signIn(world.port, { app: 'blind' });
  await app.register();
  app.signal(5, { ...CHAT, cd: { sip: 'bob' }, fty: [{ type: 'presence_subscribe' }] });
  await app.takeSignal('conn', 5);
  const { sig } = await app.takeSignal('facility', 5);
  expect(sig['fty']).toMatchObject([{ type: 'presence_notify', contact: 'im:', status: 'closed' }]);
  app.signal(6, {
    ...CHAT,
    cd: { sip: 'bob' },
    fty: [{ type: 'presence_publish', contact: 'tel:', activity: 'away' }],
  });
  expect((await app.takeSignal('rel', 6)).sig['cau']).toEqual({ num: 50 });
});

test('a setup that its caller has already released is offered to nobody', async () => {
  await using alice = await device('alice');
  await using bob = await device('bob');
  alice.signal(1, { ...CHAT, cd: { sip: 'bob' } });
  alice.signal(1, { type: 'rel', cau: { num: 16 } });
  alice.signal(2, { ...CHAT, cd: { sip: 'bob' } });
  await bob.takeSignal('setup');
  await alice.takeSignal('conn', 2);
  expect(types(bob).filter((type) => type === 'setup')).toHaveLength(1);
});

test('a login that a PBX issued for a user stays his, whatever it leaves out', async () => {
  await using bob = await device('bob');
  for (const pbxObj of ['chat', undefined]) {
    const app = await PbxApp.open(world.port);
    app.send({ mt: 'AppChallenge' });
    const { challenge } = await app.take((m) => m['mt'] === 'AppChallengeResult');
    const info = { appobj: 'chat', appdn: 'Chat', cn: 'Alice Adams' };
    const signed = `chat:example.test:alice:::${JSON.stringify(info)}:${String(challenge)}:demo`;
    const digest = createHash('sha256').update(signed).digest('hex');
    app.send({
      mt: 'AppLogin',
      app: 'chat',
      domain: 'example.test',
      sip: 'alice',
      guid: '',
      dn: '',
      info,
      pbxObj,
      digest,
    });
    expect(await app.take((m) => m['mt'] === 'AppLoginResult')).toMatchObject({ ok: true });
    await app.register();
    app.signal(1, { ...CHAT, cd: { sip: 'bob' } });
    expect((await bob.takeSignal('setup')).sig['cg']).toMatchObject({ sip: 'alice' });
    await app.close();
  }
});

test('a password is tested no faster on a connection that stands than at the door', async () => {
  await using alice = await PbxApp.signIn(world.port, { sip: 'alice' });
  const answers: unknown[] = [];
  for (let i = 0; i < 30; i++) {
    alice.send({ mt: 'AppCheckLogin', src: `c${i}`, app: 'cti', domain: '', challenge: '1', digest: 'no' });
    answers.push((await alice.take((m) => m['src'] === `c${i}`))['ok']);
  }
  expect(answers.every((ok) => ok === undefined)).toBe(true);
  const right = createHash('sha256').update('cti:::::1:demo').digest('hex');
  alice.send({ mt: 'AppCheckLogin', src: 'right', app: 'cti', domain: '', challenge: '1', digest: right });
  expect((await alice.take((m) => m['src'] === 'right'))['ok']).toBeUndefined();
});

/** From its `calls`-th lookup on the directory is away, until the returned function is called. */
function directoryAway(calls: number): () => void {
  const { directory } = world.server.core;
  const whole = { ...directory };
  let count = 0;
  directory.atHand = () => undefined;
  directory.party = (key) => (++count < calls ? whole.party(key) : Promise.reject(new Error('the store is away')));
  return () => void Object.assign(directory, whole);
}

test('a text whose device cannot be called because the store is away ends that connection, not the server', async () => {
  await using alice = await device('alice');
  await alice.callChat(1, 'bob');
  const bob = await device('bob');
  // Sending looks its two parties up; then the PBX would call bob.
  const back = directoryAway(3);
  alice.say(1, 'nobody is lost', { idem: 'lost-1' });
  await until(() => bob.closeCode !== null, 'the end of the connection');
  back();
  expect(bob.closeCode).toBe(1011);
});

test('an account is locked while the store is away: its connections end all the same', async () => {
  const carol = await device('carol');
  const user = await world.server.core.directory.requireUser({ by: 'name', value: 'carol' });
  const back = directoryAway(1);
  await world.server.core.directory.changeUser(user.id, { isLocked: true });
  await until(() => carol.closeCode !== null, 'the end of the connection');
  back();
  expect(carol.closeCode).toBe(1011);
  const again = await PbxApp.open(world.port);
  expect((await again.login({ sip: 'carol' }))['ok']).not.toBe(true);
  await again.close();
  await world.server.core.directory.changeUser(user.id, { isLocked: false });
});

test('to watch dialogs is not there yet, and rings nobody', async () => {
  await using alice = await device('alice');
  await using bob = await device('bob');
  alice.signal(5, { ...CHAT, cd: { sip: 'bob' }, fty: [{ type: 'dialog_info_subscribe' }] });
  expect((await alice.takeSignal('rel', 5)).sig['cau']).toEqual({ num: 29 });
  bob.send({ api: 'PbxSignal', mt: 'Nonsense', src: 'mark' });
  await bob.take((m) => m['src'] === 'mark');
  expect(types(bob)).not.toContain('setup');
});

test('calls of one registration are bounded', async () => {
  await using alice = await device('alice');
  const subscribe = {
    type: 'setup',
    bc: 'a880',
    channel: 0,
    cd: { sip: 'bob' },
    fty: [{ type: 'presence_subscribe' }],
  };
  for (let call = 1; call <= 1_001; call++) alice.signal(call, subscribe);
  expect((await alice.takeSignal('rel', 1_001)).sig['cau']).toEqual({ num: 111 });
  expect(types(alice).filter((type) => type === 'rel')).toHaveLength(1);
});

test('what the calls of one registration make wait is bounded, all together', async () => {
  await using alice = await device('alice');
  await using bob = await device('bob');
  bob.acceptChats();
  for (let call = 1; call <= 5; call++) {
    await alice.callChat(call, 'bob');
    alice.say(call, 'x'.repeat(900_000), { more: true });
  }
  expect((await alice.takeSignal('rel', 5)).sig['cau']).toEqual({ num: 111 });
  expect(types(alice).filter((type) => type === 'rel')).toHaveLength(1);
});

test('more texts than may wait for a device that has not accepted: all come, in order, once it has', async () => {
  await using alice = await device('alice');
  await using bob = await device('bob');
  await alice.callChat(1, 'bob');
  const { call } = await bob.takeSignal('setup');
  const texts = Array.from({ length: 150 }, (_, i) => `text ${i}`);
  for (const text of texts) alice.say(1, text, { idem: `waits-${text}` });
  await alice.take((m) => JSON.stringify(m).includes('waits-text 149'));
  expect(bob.texts).toEqual([]);
  bob.signal(call, { type: 'conn' });
  await until(() => bob.texts.length >= texts.length, 'the texts');
  expect(bob.texts.map((text) => text['data'])).toEqual(texts);
});

test('texts on their way to the store are bounded: the rest waits in the socket', async () => {
  await using alice = await device('alice');
  await using bob = await device('bob');
  await using carol = await device('carol');
  bob.acceptChats();
  await alice.callChat(1, 'bob');
  const { conversations } = world.server.core;
  const whole = { ...conversations };
  const { promise: goOn, resolve } = Promise.withResolvers<void>();
  let begun = 0;
  conversations.send = async (...ask) => {
    begun++;
    await goOn;
    return whole.send(...ask);
  };
  const count = MAX_TEXTS_UNDER_WAY + 100;
  const text = 'x'.repeat(9_000);
  for (let i = 0; i < count; i++) alice.say(1, text, { idem: `eager-${i}` });
  await until(() => begun >= MAX_TEXTS_UNDER_WAY, 'as many as may be');
  let isHeard = false;
  alice.socket.once('pong', () => (isHeard = true));
  alice.socket.ping();
  for (let i = 0; i < 20 && !isHeard; i++) {
    carol.send({ api: 'PbxSignal', mt: 'Nonsense', src: `mark-${i}` });
    await carol.take((m) => m['src'] === `mark-${i}`);
  }
  expect([isHeard, begun < count]).toEqual([false, true]);
  Object.assign(conversations, whole);
  resolve();
  await alice.take((m) => JSON.stringify(m).includes(`eager-${count - 1}`));
  await until(() => bob.texts.length === count, 'the texts at bob');
});

test('guesses at once are no more than guesses one after the other; right logins at once all get in', async () => {
  const open = (): Promise<PbxApp[]> => Promise.all(Array.from({ length: 30 }, () => PbxApp.open(world.port)));
  const logins = async (apps: readonly PbxApp[], login: { app: string; password?: string }): Promise<unknown[]> => {
    for (const app of apps) app.send({ mt: 'AppChallenge' });
    await Promise.all(apps.map((app) => until(() => app.received.length > 0)));
    return Promise.all(apps.map((app) => app.answerChallenge(login)));
  };
  const right = await open();
  expect(await logins(right, { app: 'services' })).toEqual(right.map(() => expect.objectContaining({ ok: true })));
  const wrong = await open();
  const texts = (await logins(wrong, { app: 'services', password: 'guess' })).map((answer) => JSON.stringify(answer));
  expect(texts.filter((answer) => answer.includes('too many failed logins')).length).toBeGreaterThanOrEqual(20);
  for (const app of [...right, ...wrong]) app.socket.terminate();
});
