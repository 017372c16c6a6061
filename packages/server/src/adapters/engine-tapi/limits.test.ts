import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { until } from '../../../../../test/kit/wait.ts';
import { Problem, systemClock } from '../../kit/index.ts';
import { createTapiEngine } from './index.ts';
import { parseMessage } from './messages.ts';
import { CallTracker, MAX_TRACKED, MAX_UNMATCHED } from './tracker.ts';

test('what is shown is cut, and an id that is too long is none', () => {
  const long = 'x'.repeat(1_000);
  expect(parseMessage(`NEWCALL,${long},201`)).toMatchObject({ caller: 'x'.repeat(256) });
  expect(parseMessage(`CALLSTATE,${long},RINGING,1,201`)).toMatchObject({ kind: 'malformed' });
  expect(parseMessage(long)).toEqual({ kind: 'unknown', name: 'x'.repeat(32) });
});

test('fields of one payload', () => {
  expect(parseMessage(`OK${',x'.repeat(1_000)}`)).toMatchObject({ fields: Array(15).fill('x') });
});

test('what waits to be matched: the oldest is forgotten', () => {
  const tracker = new CallTracker();
  const refs = Array.from({ length: MAX_UNMATCHED + 1 }, (_, i) => tracker.announced(`${i}`, '201', true, 0).ref);
  expect(tracker.stated('a', 'CONNECTED', '1', '201', 0)).toMatchObject([{ ref: refs[1] }]);
  const [forgotten] = tracker.stated('b', 'CONNECTED', '0', '201', 0);
  expect(refs).not.toContain(forgotten?.ref);
});

test('calls that are followed: the oldest is lost', () => {
  const tracker = new CallTracker();
  for (let i = 0; i < MAX_TRACKED; i++) tracker.stated(`c${i}`, 'CONNECTED', 'x', '201', 0);
  const [lost, next] = tracker.stated('more', 'CONNECTED', 'x', '201', 0);
  expect([lost, next]).toMatchObject([{ state: 'ended', end: 'lost' }, { state: 'connected' }]);
  expect(tracker.size).toBe(MAX_TRACKED);
});

test('a server that reads nothing: no dial goes behind what waits, and in the end the connection counts as dead', async () => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => void sockets.push(socket.pause())).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const notes: unknown[] = [];
  const log = {
    debug: () => undefined,
    info: () => undefined,
    warn: (_text: string, about?: object) => void notes.push(about),
  };
  const engine = createTapiEngine({ host: '127.0.0.1', port, clock: systemClock, log, reconnectMs: 60_000 });
  await until(() => engine.isConnected);
  const codeOfDial = (): Promise<unknown> =>
    engine.dial({ from: '201', to: '202' }).catch((error: unknown) => (error instanceof Problem ? error.code : error));
  const flood = (): void => {
    // In one turn nothing leaves but what the system takes.
    for (let i = 0; i < 1_000; i++) {
      engine.listen('1'.repeat(32));
      engine.unlisten('1'.repeat(32));
    }
  };
  expect(await codeOfDial()).toBe('call-refused');
  while ((await codeOfDial()) === 'call-refused') flood();
  expect(await codeOfDial()).toBe('engine-unavailable');
  expect(engine.isConnected).toBe(true);
  while (engine.isConnected) flood();
  expect(JSON.stringify(notes)).toContain('does not read');
  await engine.close();
  for (const socket of sockets) socket.destroy();
  server.close();
});
