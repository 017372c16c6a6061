import { once } from 'node:events';
import { createSocket } from 'node:dgram';
import type { Socket as UdpSocket } from 'node:dgram';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { afterEach } from 'vitest';
import { until } from '../../../../test/kit/wait.ts';
import { Headers, makeRequest, openTransports, parseUri, viaFor, writeMessage } from '../../src/index.ts';
import type {
  Endpoint,
  Flow,
  Listener,
  ParseFailure,
  Protocol,
  SipMessage,
  SipRequest,
  SipTransports,
  TransportsOptions,
} from '../../src/index.ts';
import { makeCertificate } from '../certificate.ts';

export const identity = makeCertificate('sip.test');
export const PROTOCOLS: readonly Protocol[] = ['udp', 'tcp', 'tls', 'ws', 'wss'];

export interface Side {
  readonly transports: SipTransports;
  readonly got: { readonly message: SipMessage; readonly flow: Flow }[];
  readonly refused: ParseFailure[];
  listener(protocol: Protocol): Listener;
  requests(): Promise<{ readonly message: SipRequest; readonly flow: Flow }>;
}

const open: (() => unknown)[] = [];

/** To be closed after the test. */
export function closing<T>(thing: T, close: (thing: T) => unknown): T {
  open.push(() => close(thing));
  return thing;
}

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** Transports with one listener of each protocol on a free port of `address`. */
export async function openSide(
  options: Partial<TransportsOptions> & { readonly address?: string; readonly protocols?: readonly Protocol[] } = {},
): Promise<Side> {
  const { address = '127.0.0.1', protocols = PROTOCOLS, ...rest } = options;
  const refused: ParseFailure[] = [];
  const transports = await openTransports({
    trust: { ca: identity.cert },
    listeners: protocols.map((protocol) => ({ protocol, address, port: 0, tls: identity })),
    onRefused: (failure) => refused.push(failure),
    ...rest,
  });
  closing(transports, (all) => all.close());
  const got: { message: SipMessage; flow: Flow }[] = [];
  transports.onMessage((message, flow) => got.push({ message, flow }));
  return {
    transports,
    got,
    refused,
    listener(protocol) {
      const found = transports.listeners.find((own) => own.protocol === protocol);
      if (found === undefined) throw new Error(`no ${protocol}`);
      return found;
    },
    requests: () =>
      until(() => {
        const one = got.at(-1);
        return one?.message.kind === 'request' ? { message: one.message, flow: one.flow } : undefined;
      }, 'a request'),
  };
}

let count = 0;
export function options(flow: Flow, body = ''): SipRequest {
  const id = `t${(count += 1)}`;
  const headers = new Headers([
    ['Via', viaFor(flow, `z9hG4bK${id}`)],
    ['From', `<sip:a@test>;tag=${id}`],
    ['To', '<sip:b@test>'],
    ['Call-ID', id],
    ['CSeq', '1 OPTIONS'],
    ['Max-Forwards', 70],
  ]);
  return makeRequest({ method: 'OPTIONS', uri: parseUri('sip:b@test'), headers, body: Buffer.from(body) });
}

export function flowTo(from: Side, to: Endpoint, protocol: Protocol, serverName?: string): Flow {
  const flow = from.transports.flowTo({ protocol, address: to.address, port: to.port, serverName });
  if (flow === undefined) throw new Error(`no way by ${protocol}`);
  return flow;
}

export async function sendOptions(from: Side, flow: Flow, body = ''): Promise<SipRequest> {
  const request = options(flow, body);
  await from.transports.send(writeMessage(request), flow);
  return request;
}

/** A request as text, for peers without our library. */
export const rawOptions = (via: string, more = ''): string =>
  `OPTIONS sip:b@test SIP/2.0\r\nVia: ${via}\r\nFrom: <sip:a@test>;tag=1\r\nTo: <sip:b@test>\r\nCall-ID: r${(count += 1)}\r\nCSeq: 1 OPTIONS\r\n${more}Content-Length: 0\r\n\r\n`;

export interface RawSocket {
  readonly socket: Socket;
  text(): string;
  isClosed(): boolean;
}

export async function rawTcp(to: Endpoint): Promise<RawSocket> {
  const socket = closing(connect({ host: to.address, port: to.port }), (own) => own.destroy());
  let text = '';
  let isClosed = false;
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  socket.on('close', () => (isClosed = true));
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return { socket, text: () => text, isClosed: () => isClosed };
}

export interface RawUdp {
  readonly socket: UdpSocket;
  readonly local: Endpoint;
  readonly got: Buffer[];
  send(text: string | Uint8Array, to: Endpoint): void;
}

export async function rawUdp(address = '127.0.0.1'): Promise<RawUdp> {
  const socket = closing(createSocket(address.includes(':') ? 'udp6' : 'udp4'), (own) => own.close());
  const got: Buffer[] = [];
  socket.on('message', (bytes) => got.push(bytes));
  socket.bind(0, address);
  await once(socket, 'listening');
  return {
    socket,
    local: { address, port: socket.address().port },
    got,
    send: (text, to) => socket.send(text, to.port, to.address),
  };
}
