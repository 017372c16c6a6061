import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { LimitName } from './limits.ts';

/** What Node's parser reports, and what the peer is told. Codes are Node's. */
const ANSWERS: Readonly<Record<string, readonly [number, LimitName]>> = {
  HPE_HEADER_OVERFLOW: [431, 'http.header-bytes'],
  ERR_TLS_HANDSHAKE_TIMEOUT: [408, 'http.request-timeout'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'http.request-timeout'],
};

/** Answers a request that never became one, and ends the connection. Returns the bound that was hit. */
export function answerClientError(error: Error, socket: Duplex): LimitName | undefined {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy();
    return undefined;
  }
  const [status, limit] = ANSWERS[code] ?? [400, 'http.malformed'];
  // An answer would wait for the end of the handshake, and the socket with it.
  if ('secureConnecting' in socket && socket.secureConnecting === true) {
    socket.destroy();
    return limit;
  }
  // Node leaves a running response to us: a second status line in its middle would be garbage.
  const isAnswering =
    'bytesWritten' in socket && Number(socket.bytesWritten) > 0 && code !== 'ERR_HTTP_REQUEST_TIMEOUT';
  if (isAnswering) socket.destroy();
  else socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  // A peer that doesn't read its answer is not waited for.
  socket.once('finish', () => socket.destroy());
  return limit;
}
