import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { MAX_BYTES_BEFORE_LOGIN, MAX_MESSAGE_BEFORE_LOGIN_BYTES } from '../wire/bounds.ts';
import { MAX_FRAMES_BEFORE_LOGIN } from './limits.ts';

/** Header of a frame, and what else of the next frame came in the same chunk. */
const FRAME_SLACK_BYTES = 64;

/**
 * Watches what a peer sends before he has logged in: bytes in all, bytes of a message that is not finished, frames.
 * `exceeded` is called once. Returns what ends the watch.
 */
export function watchStranger(socket: WebSocket, stream: Duplex, exceeded: (what: string) => void): () => void {
  let bytes = 0;
  let unfinishedBytes = 0;
  let frames = 0;
  let framesAtLastChunk = 0;
  const stop = (): void => {
    stream.off('data', onData);
    socket.off('message', onFrame);
    socket.off('ping', onFrame);
    socket.off('pong', onFrame);
  };
  const check = (isTooMuch: boolean, what: string): void => {
    if (!isTooMuch) return;
    stop();
    exceeded(what);
  };
  const onFrame = (): void => {
    frames++;
    check(frames > MAX_FRAMES_BEFORE_LOGIN, 'too many frames before the login');
  };
  // The WebSocket's own listener came first: what a chunk completed has been counted in `frames`.
  const onData = (chunk: Buffer): void => {
    bytes += chunk.length;
    unfinishedBytes = frames > framesAtLastChunk ? 0 : unfinishedBytes + chunk.length;
    framesAtLastChunk = frames;
    const isTooLong = unfinishedBytes > MAX_MESSAGE_BEFORE_LOGIN_BYTES + FRAME_SLACK_BYTES;
    check(bytes > MAX_BYTES_BEFORE_LOGIN || isTooLong, 'too many bytes before the login');
  };
  stream.on('data', onData);
  socket.on('message', onFrame);
  socket.on('ping', onFrame);
  socket.on('pong', onFrame);
  return stop;
}
