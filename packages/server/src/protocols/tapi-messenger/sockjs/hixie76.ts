import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocketPort } from './ports.ts';

/**
 * COMPAT(browsers of 2010, HAProxy tests; until sockjs-protocol drops them): the WebSocket of draft-hixie-76 (TM SJ-42).
 * Text frames run from 0x00 to 0xFF; there is no ping, and closing has no code.
 */

const frameStart = 0x00;
const frameEnd = 0xff;
const nonceBytes = 8;
const closingFrame = Buffer.from([frameEnd, 0x00]);

/** Draft 5.2: the digits of a key, divided by its number of spaces. */
function keyNumber(key: string): number | undefined {
  const spaces = key.split(' ').length - 1;
  const digits = Number(key.replace(/\D/g, ''));
  return spaces === 0 || digits % spaces !== 0 || digits / spaces > 0xffffffff ? undefined : digits / spaces;
}

/** The answer to the nonce. */
function hixie76Answer(key1: string, key2: string, nonce: Buffer): Buffer | undefined {
  const first = keyNumber(key1);
  const second = keyNumber(key2);
  if (first === undefined || second === undefined) return undefined;
  const challenge = Buffer.alloc(8 + nonceBytes);
  challenge.writeUInt32BE(first, 0);
  challenge.writeUInt32BE(second, 4);
  nonce.copy(challenge, 8);
  return createHash('md5').update(challenge).digest();
}

/** Writes the 101 at once, the answer when the nonce has come. */
export function acceptHixie76(
  req: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  maxPayloadBytes: number,
): Promise<WebSocketPort> {
  const isSecure = 'encrypted' in req.socket;
  const location = `${isSecure ? 'wss' : 'ws'}://${req.headers.host ?? ''}${req.url ?? ''}`;
  socket.write(
    'HTTP/1.1 101 WebSocket Protocol Handshake\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n' +
      `Sec-WebSocket-Origin: ${req.headers.origin ?? ''}\r\nSec-WebSocket-Location: ${location}\r\n\r\n`,
  );
  const { 'sec-websocket-key1': key1, 'sec-websocket-key2': key2 } = req.headers;
  return new Promise((resolve, reject) => {
    let received = head;
    const stop = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    const gone = (): void => stop(new Error('the peer left before its nonce came'));
    const take = (chunk: Buffer): void => {
      received = Buffer.concat([received, chunk]);
      if (received.length < nonceBytes) return;
      socket.removeListener('data', take).removeListener('close', gone).pause();
      const answer = hixie76Answer(String(key1), String(key2), received.subarray(0, nonceBytes));
      if (answer === undefined) return stop(new Error('keys that are no keys'));
      socket.write(answer);
      resolve(new Hixie76Port(socket, received.subarray(nonceBytes), maxPayloadBytes));
    };
    socket.once('close', gone).on('error', () => socket.destroy());
    socket.on('data', take);
    take(Buffer.alloc(0));
  });
}

class Hixie76Port implements WebSocketPort {
  readonly #socket: Duplex;
  readonly #maxPayloadBytes: number;
  #received: Buffer;
  #isOver = false;
  #onMessage: (data: Buffer, isBinary: boolean) => void = () => undefined;

  constructor(socket: Duplex, received: Buffer, maxPayloadBytes: number) {
    this.#socket = socket;
    this.#received = received;
    this.#maxPayloadBytes = maxPayloadBytes;
  }

  get bufferedAmount(): number {
    return this.#socket.writableLength;
  }

  send(data: string | Buffer, written?: (error?: Error | null) => void): void {
    if (this.#socket.destroyed || this.#socket.writableEnded) return;
    const text = typeof data === 'string' ? Buffer.from(data) : data;
    this.#socket.write(Buffer.concat([Buffer.of(frameStart), text, Buffer.of(frameEnd)]), (error) => written?.(error));
  }

  onMessage(listener: (data: Buffer, isBinary: boolean) => void): void {
    this.#onMessage = listener;
    this.#socket.on('data', (chunk: Buffer) => this.#take(chunk));
    this.#take(Buffer.alloc(0));
    this.#socket.resume();
  }

  /** The draft has no ping: what the system's own probes can't find out, nobody does. */
  onPong(listener: () => void): void {
    this.#pong = listener;
  }

  #pong: () => void = () => undefined;

  onClose(listener: (code: number, reason: string) => void): void {
    if (this.#socket.closed) return listener(1006, '');
    this.#socket.once('close', () => listener(1006, ''));
  }

  ping(): void {
    this.#pong();
  }

  close(): void {
    this.#isOver = true;
    if (!this.#socket.writableEnded) this.#socket.end(closingFrame);
    this.#socket.resume();
  }

  terminate(): void {
    this.#isOver = true;
    this.#socket.destroy();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  cork(): void {
    this.#socket.cork();
  }

  uncork(): void {
    this.#socket.uncork();
  }

  #take(chunk: Buffer): void {
    if (this.#isOver) return;
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    while (this.#received.length > 0 && !this.#hasEnded()) {
      if (this.#received[0] !== frameStart) return this.close();
      const end = this.#received.indexOf(frameEnd);
      if (end < 0) break;
      const message = this.#received.subarray(1, end);
      this.#received = this.#received.subarray(end + 1);
      this.#onMessage(message, false);
    }
    if (this.#received.length > this.#maxPayloadBytes) this.terminate();
  }

  #hasEnded(): boolean {
    return this.#isOver;
  }
}
