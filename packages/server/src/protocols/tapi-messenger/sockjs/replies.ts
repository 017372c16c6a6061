import { ServerResponse } from 'node:http';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import { Socket } from 'node:net';

const plainText = 'text/plain; charset=UTF-8';

export function replyEmpty(res: ServerResponse, status: number, headers: OutgoingHttpHeaders = {}): void {
  // 204 and 304 have no body, and so no length (RFC 9110 8.6).
  const length = status === 204 || status === 304 ? {} : { 'Content-Length': 0 };
  res.writeHead(status, { ...headers, ...length });
  res.end();
}

export function replyText(res: ServerResponse, status: number, text: string, headers: OutgoingHttpHeaders = {}): void {
  const body = Buffer.from(text);
  res.writeHead(status, { 'Content-Type': plainText, ...headers, 'Content-Length': body.length });
  res.end(body);
}

/** TM SJ-1. */
export function replyMethodNotAllowed(res: ServerResponse, methods: readonly string[]): void {
  replyEmpty(res, 405, { Allow: methods.join(', ') });
}

/**
 * A response on a socket that an Upgrade request has taken from its HTTP server. The request's body, if any, is lost, and
 * the connection ends with the response.
 */
export function responseOn(req: IncomingMessage, socket: Duplex): ServerResponse | undefined {
  if (!(socket instanceof Socket)) return undefined;
  const res = new ServerResponse(req);
  res.shouldKeepAlive = false;
  res.assignSocket(socket);
  socket.on('error', () => socket.destroy());
  socket.once('close', () => res.emit('close'));
  res.once('finish', () => {
    res.detachSocket(socket);
    socket.end();
  });
  return res;
}
