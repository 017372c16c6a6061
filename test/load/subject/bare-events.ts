/** The measure of all rows over HTTP: `node:http`, a request becomes an event of its receiver's streams. Nothing else. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const streams = new Map<string, Set<ServerResponse>>();

function listen(name: string, response: ServerResponse): void {
  const own = streams.get(name) ?? new Set();
  streams.set(name, own.add(response));
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  response.write(': hello\n\n');
  response.on('close', () => own.delete(response));
}

function post(name: string, request: IncomingMessage, response: ServerResponse): void {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk: string) => (body += chunk));
  request.on('end', () => {
    const { text } = JSON.parse(body) as { text: string };
    const event = `data: ${JSON.stringify({ text })}\n\n`;
    for (const stream of streams.get(name) ?? []) stream.write(event);
    response.writeHead(200, { 'content-length': 0 }).end();
  });
}

const server = createServer((request, response) => {
  const [, kind, name = ''] = (request.url ?? '').split('/');
  if (request.method === 'GET' && kind === 'sse') listen(name, response);
  else if (request.method === 'POST') post(name, request, response);
  else response.writeHead(404).end();
});
// Connections wait for their turn while others are measured.
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => console.log(`port ${(server.address() as AddressInfo).port}`));
