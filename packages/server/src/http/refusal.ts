import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** A socket that nobody reads yet must not bring the process down when its peer resets it. */
export function destroyOnError(this: Duplex): void {
  this.destroy();
}

/** Answers an upgrade request with a plain HTTP status and ends the connection. */
export function refuseUpgrade(
  socket: Duplex,
  status: number,
  options: { readonly body?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): void {
  if (socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const body = options.body ?? STATUS_CODES[status] ?? '';
  const headers: Record<string, string> = {
    Connection: 'close',
    'Content-Type': 'text/plain; charset=UTF-8',
    'Content-Length': String(Buffer.byteLength(body)),
    ...options.headers,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${body}`);
}
