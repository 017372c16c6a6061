/** The measure of all rows over WebSocket: names, JSON and npm `ws`, as one writes it in half an hour. Nothing else. */
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

const sockets = new Map<string, WebSocket>();
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });

server.on('connection', (socket, request) => {
  const name = (request.url ?? '').slice(1);
  sockets.set(name, socket);
  socket.on('message', (data: Buffer) => {
    const { to, text } = JSON.parse(data.toString()) as { to: string; text: string };
    const message = JSON.stringify({ from: name, text });
    if (to !== '*') return sockets.get(to)?.send(message);
    for (const [other, receiver] of sockets) if (other !== name) receiver.send(message);
  });
  socket.on('error', () => socket.terminate());
  socket.on('close', () => sockets.delete(name));
});
server.on('listening', () => console.log(`port ${(server.address() as AddressInfo).port}`));
