import { afterEach, expect, test } from 'vitest';
import { TapiServerSimulator } from '../../../../../test/kit/tapi-server.ts';
import { until } from '../../../../../test/kit/wait.ts';
import type { CallEngine, EngineEvent } from '../../core/calls/index.ts';
import { systemClock } from '../../kit/index.ts';
import { createTapiEngine, type TapiEngineOptions } from './index.ts';

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const thing of opened.splice(0).toReversed()) await thing[Symbol.asyncDispose]();
});

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };

async function simulator(
  options: ConstructorParameters<typeof TapiServerSimulator>[0] = {},
): Promise<TapiServerSimulator> {
  const sim = new TapiServerSimulator(options);
  opened.push(sim);
  await sim.open();
  return sim;
}

function engineTo(
  sim: TapiServerSimulator,
  options: Partial<TapiEngineOptions> = {},
): { engine: CallEngine; events: EngineEvent[] } {
  const engine = createTapiEngine({
    host: '127.0.0.1',
    port: sim.port,
    clock: systemClock,
    log,
    reconnectMs: 20,
    ...options,
  });
  opened.push(engine);
  const events: EngineEvent[] = [];
  engine.onEvent((event) => events.push(event));
  return { engine, events };
}

const said = (sim: TapiServerSimulator): string[] =>
  sim.state.log.filter((line) => line.dir === 'in').map((line) => line.payload);

test('TC-20: what was listened to is listened to again after every reconnect, in first order', async () => {
  const sim = await simulator();
  const { engine } = engineTo(sim);
  for (const number of ['203', '201', '202']) engine.listen(number);
  engine.unlisten('201');
  await until(() => said(sim).length === 2);
  expect(said(sim)).toEqual(['LISTEN,203', 'LISTEN,202']);
  await sim.shut();
  await until(() => !engine.isConnected);
  engine.listen('204');
  engine.unlisten('203');
  sim.reset();
  await sim.open();
  await until(() => said(sim).length === 2);
  expect(said(sim)).toEqual(['LISTEN,202', 'LISTEN,204']);
  expect(sim.state.violations).toEqual([]);
});

test('TC-21: a server that keeps registrations is told to stop first', async () => {
  const sim = await simulator({ keep: true });
  const { engine } = engineTo(sim, { resync: 'stop-listen' });
  engine.listen('201');
  await until(() => said(sim).length === 1);
  sim.drop('rst');
  await until(() => said(sim).length === 3);
  expect(said(sim)).toEqual(['LISTEN,201', 'STOPLISTEN,201', 'LISTEN,201']);
  expect(sim.state.violations).toEqual([]);
});

test('a call is announced; its number in any segmentation; nothing after unlisten', async () => {
  const sim = await simulator();
  sim.chunk(1);
  const { engine, events } = engineTo(sim);
  engine.listen('201');
  await until(() => sim.ring('0606413737', '201'));
  await until(() => events.length === 1);
  expect(events[0]).toMatchObject({ number: '201', direction: 'inbound', state: 'ringing', peer: '0606413737' });
  engine.unlisten('201');
  await until(() => sim.state.registered.length === 0);
  sim.ring('1', '201', true);
  engine.listen('202');
  await until(() => sim.ring('2', '202'));
  await until(() => events.some((event) => event.number === '202'));
  expect(events.filter((event) => event.number === '201' && event.peer === '1')).toEqual([]);
});

test('AP-23: a dial is sent at once or refused, never kept', async () => {
  const sim = await simulator();
  const { engine } = engineTo(sim);
  await until(() => engine.isConnected);
  await expect(engine.dial({ from: '201', to: '0606' })).rejects.toMatchObject({ code: 'call-refused' });
  engine.listen('201');
  expect(await engine.dial({ from: '201', to: '0606' })).toBeNull();
  await until(() => said(sim).includes('CALL,201,0606'));
  await sim.shut();
  await until(() => !engine.isConnected);
  await expect(engine.dial({ from: '201', to: '0707' })).rejects.toMatchObject({ code: 'engine-unavailable' });
  await sim.open();
  await until(() => engine.isConnected);
  expect(said(sim)).not.toContain('CALL,201,0707');
});

test('TC-3: a frame that is too long ends the connection, and a new one is made', async () => {
  const sim = await simulator();
  const { engine } = engineTo(sim);
  await until(() => engine.isConnected);
  sim.raw(Buffer.from('ffffff00', 'hex'));
  await until(() => sim.state.connections === 2);
  await until(() => engine.isConnected);
});

test('TC-4: whatever else the server says, the connection goes on', async () => {
  const sim = await simulator();
  const { engine, events } = engineTo(sim);
  engine.listen('201');
  await until(() => sim.state.registered.includes('201'));
  for (const payload of ['WHAT,ever', 'NEWCALL,1', 'ERROR,x', 'OK', ',,,,']) sim.say(payload);
  sim.ring('7', '201');
  await until(() => events.length === 1);
  expect(sim.state.connections).toBe(1);
});

test('closing stops listening to everything', async () => {
  const sim = await simulator({ keep: true });
  const { engine } = engineTo(sim);
  engine.listen('201');
  engine.listen('202');
  await until(() => sim.state.registered.length === 2);
  await engine.close();
  await until(() => sim.state.registered.length === 0);
  await until(() => !sim.state.connected);
});

test('TM §5.5: with the extended profile calls are followed and hung up', async () => {
  const sim = await simulator({ hello: true });
  const { engine, events } = engineTo(sim);
  engine.listen('201');
  await until(() => engine.abilities.hangup && sim.state.registered.includes('201'));
  sim.ring('0606', '201');
  sim.say('CALLSTATE,c1,RINGING,0606,201');
  sim.say('CALLSTATE,c1,CONNECTED,0606,201');
  await until(() => events.some((event) => event.state === 'connected'));
  const ref = events.find((event) => event.state === 'connected')?.ref ?? '';
  await engine.hangup(ref);
  await until(() => said(sim).includes('HANGUP,201,c1'));
  sim.say('CALLSTATE,c1,ENDED,0606,201');
  const end = await until(() => events.find((event) => event.state === 'ended'));
  expect(end).toMatchObject({ ref, end: null });
  expect(new Set(events.map((event) => event.ref)).size).toBe(1);
});

test('a lost connection ends the calls that were followed as lost', async () => {
  const sim = await simulator({ hello: true });
  const { engine, events } = engineTo(sim);
  engine.listen('201');
  await until(() => engine.abilities.hangup && sim.state.registered.includes('201'));
  sim.say('CALLSTATE,c1,CONNECTED,0606,201');
  await until(() => events.length === 1);
  sim.drop('rst');
  const end = await until(() => events.find((event) => event.state === 'ended'));
  expect(end.end).toBe('lost');
});
