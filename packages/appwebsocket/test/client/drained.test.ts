import { EventEmitter } from 'node:events';
import { Writable } from 'node:stream';
import type { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import type { WebSocket } from 'ws';
import { AcceptedSocket } from '../../src/service/accepted-socket.ts';

test('drained of an accepted socket gives the event loop a turn every 256 KiB, also where the system takes all at once', async () => {
  // A peer that is faster than we are: every write is done at once, so nothing ever waits.
  const stream = new Writable({ write: (_chunk, _encoding, done) => done() });
  const socket = Object.assign(new EventEmitter(), { readyState: 1 });
  const carrier = new AcceptedSocket(socket as unknown as WebSocket, stream as Duplex, {
    text: () => undefined,
    alive: () => undefined,
    closed: () => undefined,
  });
  let turns = 0;
  let isSending = true;
  const countTurn = (): void => {
    turns++;
    if (isSending) setImmediate(countTurn);
  };
  setImmediate(countTurn);
  const text = 'x'.repeat(65_536);
  for (let n = 0; n < 1_000; n++) {
    carrier.send(text);
    await carrier.drained();
  }
  isSending = false;
  expect(turns).toBeGreaterThan(1_000 / 8);
});
