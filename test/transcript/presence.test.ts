import { afterAll, beforeAll, expect, test } from 'vitest';
import { ChatApiClient } from '../kit/chat-api-client.ts';
import { type Json, PbxApp } from '../kit/pbx-app.ts';
import { StompApp } from '../kit/stomp-app.ts';
import { until } from '../kit/wait.ts';
import { startWorld, type World } from '../kit/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(async () => {
  await world.close();
});

async function watch(app: PbxApp, call: number, whom: string): Promise<() => Json[]> {
  const setup = { type: 'setup', bc: 'a880', channel: 0, complete: true, cd: { sip: whom } };
  app.signal(call, { ...setup, fty: [{ type: 'presence_subscribe' }] });
  await app.takeSignal('conn', call);
  return () =>
    app.received
      .filter((m) => m['call'] === call && (m['sig'] as Json)['type'] === 'facility')
      .map((m) => ((m['sig'] as Json)['fty'] as Json[]).find((item) => item['contact'] === 'im:') ?? {});
}

test('bob’s presence, set on one surface, is seen on the others', async () => {
  await using alice = await PbxApp.signIn(world.port, { sip: 'alice' });
  await alice.register({ hw: 'chat-alice' });
  const seenByAlice = await watch(alice, 5, 'bob');
  await until(() => seenByAlice().length > 0);
  expect(seenByAlice().at(-1)).toMatchObject({ status: 'closed' });

  await using carol = await StompApp.signIn(world.port, 'carol');
  carol.subscribe('/topic/presence.bob');
  await carol.take((frame) => frame.json?.['show'] === 'offline');

  const dora = await ChatApiClient.signIn(world.url, 'dora');
  await dora.ask('POST', '/chat/contacts/bob');
  await using seenByDora = await dora.events();

  const bob = await ChatApiClient.signIn(world.url, 'bob');
  await using bobEvents = await bob.events();
  await until(() => seenByAlice().at(-1)?.['status'] === 'open', 'alice sees bob online');
  await carol.take((frame) => frame.json?.['online'] === true);

  expect((await bob.ask('POST', '/chat/presence?show=away&status=Lunch')).status).toBe(200);
  await until(() => seenByAlice().at(-1)?.['activity'] === 'away', 'alice sees away');
  expect(seenByAlice().at(-1)).toMatchObject({ note: 'Lunch' });
  await carol.take((frame) => frame.json?.['show'] === 'away' && frame.json['status'] === 'Lunch');
  await seenByDora.take(({ event, data }) => event === 'presence' && data.show === 'away' && data.status === 'Lunch');

  await using bobsApp = await PbxApp.signIn(world.port, { sip: 'bob' });
  await bobsApp.register({ hw: 'chat-bob' });
  const publish = { type: 'presence_publish', contact: 'tel:', status: 'open', activity: 'busy', note: 'In a meeting' };
  bobsApp.signal(1, { type: 'setup', bc: 'a880', channel: 0, complete: true, cd: { sip: 'bob' }, fty: [publish] });
  expect((await bobsApp.takeSignal('rel', 1)).sig['cau']).toEqual({ num: 16 });
  await carol.take((frame) => frame.json?.['show'] === 'dnd' && frame.json['status'] === 'In a meeting');
  await seenByDora.take(({ event, data }) => event === 'presence' && data.show === 'dnd');
  await until(() => JSON.stringify(alice.received.at(-1)).includes('"busy"'), 'alice sees busy');

  alice.signal(5, { type: 'rel', cau: { num: 16 } });
  bobEvents.close();
});

test('nobody publishes for another', async () => {
  await using alice = await PbxApp.signIn(world.port, { sip: 'alice' });
  await alice.register({ hw: 'chat-alice' });
  const publish = { type: 'presence_publish', contact: 'tel:', activity: 'dnd', note: 'x' };
  alice.signal(1, { type: 'setup', bc: 'a880', channel: 0, complete: true, cd: { sip: 'carol' }, fty: [publish] });
  expect((await alice.takeSignal('rel', 1)).sig['cau']).not.toEqual({ num: 16 });
  alice.signal(2, {
    type: 'setup',
    bc: 'a880',
    channel: 0,
    complete: true,
    cd: { sip: 'nobody' },
    fty: [{ type: 'presence_subscribe' }],
  });
  expect((await alice.takeSignal('rel', 2)).sig['cau']).toEqual({ num: 1 });
});

test('an app that reads too slowly stays connected, and gets the newest when it reads again', async () => {
  await using own = await startWorld({ TIELINE_DELIVERY_SLOW_READER_MS: '60000' });
  const [calls, changes] = [490, 20];
  await using alice = await PbxApp.signIn(own.port, { sip: 'alice' });
  await alice.register({ hw: 'chat-alice' });
  const seen: (() => Json[])[] = [];
  for (let call = 1; call <= calls; call++) seen.push(await watch(alice, call, 'bob'));
  const bob = await ChatApiClient.signIn(own.url, 'bob');
  const { id } = await own.server.core.directory.requireUser({ by: 'name', value: 'bob' });
  const told: string[] = [];
  await own.server.core.presence.watch({ kind: 'server' }, id, ({ status }) => told.push(status));
  const note = (i: number): string => `${i} ${'x'.repeat(1_000)}`;
  alice.socket.pause();
  for (let i = 0; i < changes; i++) {
    await bob.ask('POST', `/chat/presence?show=away&status=${note(i)}`);
    await until(() => told.at(-1) === note(i));
  }
  alice.socket.resume();
  await until(() => seen.every((items) => items().at(-1)?.['note'] === note(changes - 1)), 'the newest', 20_000);
  expect(alice.closeCode).toBeNull();
});
