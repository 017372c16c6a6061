import { connect } from 'node:net';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { encodeFrame, FrameReader } from '../../adapters/engine-tapi/index.ts';
import { until } from '../../../../../test/kit/wait.ts';
import { openControl, TapiServerSimulator } from './index.ts';
import { stepNumbers } from './numbers.ts';
import { MAX_LOG } from './simulator.ts';

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const thing of opened.splice(0).toReversed()) await thing[Symbol.asyncDispose]();
});

async function simulator(options: ConstructorParameters<typeof TapiServerSimulator>[0]): Promise<TapiServerSimulator> {
  const sim = new TapiServerSimulator(options);
  opened.push(sim);
  await sim.open();
  return sim;
}

async function client(port: number): Promise<{ say(text: string): void; heard: string[]; isOpen(): boolean }> {
  const socket = connect(port, '127.0.0.1');
  const heard: string[] = [];
  const reader = new FrameReader('len32le');
  let isOpen = true;
  socket.on('data', (chunk) => heard.push(...reader.push(chunk).payloads));
  socket.on('error', () => undefined);
  socket.on('close', () => (isOpen = false));
  await once(socket, 'connect');
  opened.push({ [Symbol.asyncDispose]: async () => void socket.destroy() });
  return { heard, isOpen: () => isOpen, say: (text) => void socket.write(encodeFrame(text, 'len32le')) };
}

test.each([
  ['LISTEN,201', [], 'listen', null],
  ['LISTEN,201', ['201'], 'nothing', 'already registered: LISTEN,201'],
  ['LISTEN,no', [], 'nothing', 'LISTEN,no'],
  ['STOPLISTEN,201', [], 'stop', null],
  ['CALL,201,0606', ['201'], 'call', null],
  ['CALL,201,0606', [], 'nothing', 'not registered: CALL,201,0606'],
  ['CALL,201', ['201'], 'nothing', 'CALL,201'],
  ['PING,x', [], 'ping', null],
  ['WHAT', [], 'nothing', 'unknown: WHAT'],
])('%s with %j registered is %s', (payload, registered, kind, violation) => {
  expect(stepNumbers(new Set(registered), payload)).toMatchObject({ kind, violation });
});

test('rings a registered number and forgets registrations with their client', async () => {
  const sim = await simulator({});
  const one = await client(sim.port);
  one.say('LISTEN,201');
  await until(() => sim.state.registered.includes('201'));
  expect(sim.ring('0606413737', '202')).toBe(false);
  expect(sim.ring('0606413737', '201')).toBe(true);
  await until(() => one.heard.includes('NEWCALL,0606413737,201'));
  sim.drop('fin');
  await until(() => sim.state.registered.length === 0 && !sim.state.connected);
});

test('a second client is accepted and closed at once', async () => {
  const sim = await simulator({});
  await client(sim.port);
  await until(() => sim.state.connected);
  const second = await client(sim.port);
  await until(() => !second.isOpen());
  expect(sim.state.connections).toBe(1);
});

test('the control channel rings, drops and tells its state; bad bodies are refused', async () => {
  const sim = await simulator({ replies: true });
  const control = await openControl(sim, 0);
  opened.push({ [Symbol.asyncDispose]: async () => void control.close() });
  const address = control.address();
  const base = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  const post = (path: string, body: unknown): Promise<Response> =>
    fetch(base + path, { method: 'POST', body: JSON.stringify(body) });
  const one = await client(sim.port);
  one.say('LISTEN,201');
  await until(() => one.heard.includes('OK,LISTEN,201'));
  expect(await (await post('/ring', { from: '1', to: '9' })).json()).toEqual({ delivered: false });
  expect(await (await post('/ring', { from: '1', to: '9', force: true })).json()).toEqual({ delivered: true });
  expect((await post('/drop', { how: 'softly' })).status).toBe(400);
  const state: unknown = await (await fetch(`${base}/state`)).json();
  expect(state).toMatchObject({ connected: true, registered: ['201'], violations: [] });
});

test('the log is bounded: the oldest lines go', async () => {
  const sim = await simulator({});
  const one = await client(sim.port);
  for (let i = 0; i < MAX_LOG; i++) one.say(`PING,${i}`);
  await until(() => sim.state.log.some(({ payload }) => payload === `PING,${MAX_LOG - 1}`), 'the last line');
  expect(sim.state.log.length).toBeLessThanOrEqual(MAX_LOG);
});
