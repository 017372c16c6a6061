import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { framesOf, FrameWriter } from '../../src/service/frame-writer.ts';
import { RawPeer } from './kit.ts';

test('frames of every length arrive as the texts they were', async () => {
  const texts = [0, 1, 30, 125, 126, 127, 65_535, 65_536, 200_000].flatMap((length) => [
    JSON.stringify({ mt: 'x', y: 'a'.repeat(length) }),
    JSON.stringify({ mt: 'x', y: 'ä😀'.repeat(length) }),
  ]);
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  server.on('connection', (_socket, request) => request.socket.write(framesOf(texts)));
  await once(server, 'listening');
  using peer = await RawPeer.connect(`ws://127.0.0.1:${(server.address() as { port: number }).port}`);
  for (const text of texts) expect(JSON.stringify(await peer.next('x'))).toBe(text);
  peer.socket.terminate();
  server.close();
});

test('texts of one turn go out in one piece, and none after the closing handshake has begun', async () => {
  const stream = new PassThrough();
  const pieces: Buffer[] = [];
  stream.on('data', (piece: Buffer) => pieces.push(piece));
  let isOpen = true;
  let written = 0;
  const writer = new FrameWriter(
    stream,
    () => isOpen,
    () => written++,
  );
  for (const text of ['a', 'b', 'c']) writer.write(text);
  expect(writer.bufferedBytes).toBe(3);
  await new Promise((resolve) => setImmediate(resolve));
  expect(pieces).toEqual([framesOf(['a', 'b', 'c'])]);
  isOpen = false;
  writer.write('d');
  await new Promise((resolve) => setImmediate(resolve));
  expect([pieces.length, written, writer.bufferedBytes]).toEqual([1, 2, 0]);
});
