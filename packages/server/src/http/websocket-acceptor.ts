import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Problem } from '../kit/index.ts';
import type { HttpObserver } from './limits.ts';
import { destroyOnError, refuseUpgrade } from './refusal.ts';
import type { TurnJoiner } from './turn-joiner.ts';
import type { BeforeLogin, WebSocketPort } from './websocket-port.ts';
import { WsPort } from './ws-port.ts';

export interface AcceptOptions {
  /** Largest message, fragments joined. A larger one closes the socket with 1009. */
  readonly maxPayloadBytes: number;
  /** Subprotocols that the surface speaks, best first; the first one that the client offers is chosen. None offered: none. */
  readonly protocols?: readonly string[];
  /** Bounds that hold until `admit()`. Without it the socket counts as logged in. */
  readonly untilAdmitted?: BeforeLogin;
}

/** Accepts the WebSocket. Rejects with a Problem `not-a-websocket` or `gone`; the peer has then been answered. */
export type AcceptWebSocket = (
  req: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  options: AcceptOptions,
) => Promise<WebSocketPort>;

export interface AcceptorSettings {
  readonly joiner: TurnJoiner;
  readonly addressOf: (req: IncomingMessage) => string;
  readonly observer: HttpObserver;
}

/** RFC 6455 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** RFC 6455 4.1: 16 octets in base64. */
const KEY = /^[+/0-9A-Za-z]{22}==$/;
/** 13 is the RFC's; 8, of its last drafts, is the same on the wire. */
const VERSIONS: ReadonlySet<string | undefined> = new Set(['13', '8']);
/** RFC 9110 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** No extension is agreed: `permessage-deflate` costs 217 KB a connection and most of the rate. */
export function createWebSocketAcceptor({ joiner, addressOf, observer }: AcceptorSettings): AcceptWebSocket {
  function accept(req: IncomingMessage, socket: Duplex, head: Buffer, options: AcceptOptions): WebSocketPort {
    const remoteAddress = addressOf(req);
    socket.on('error', destroyOnError);
    const offer = handshakeOf(req);
    if (typeof offer === 'string') {
      refuseUpgrade(socket, 400, { body: 'Not a valid websocket request' });
      throw new Problem('not-a-websocket', offer);
    }
    if (socket.destroyed || !socket.writable) {
      socket.destroy();
      throw new Problem('gone', 'the client left during the handshake');
    }
    const protocol = (options.protocols ?? []).find((known) => offer.protocols.includes(known)) ?? '';
    // Small messages leave at once, and a quiet connection is not ended by HTTP's timer.
    if (socket instanceof Socket) socket.setNoDelay().setTimeout(0);
    if (head.length > 0) socket.unshift(head);
    socket.write(answerTo(offer.key, protocol));
    const refused = (what: 'bytes' | 'messages' | 'protocol'): void =>
      observer.limitHit(what === 'protocol' ? 'ws.protocol' : `ws.${what}-before-login`, remoteAddress);
    const { maxPayloadBytes, untilAdmitted } = options;
    return new WsPort({ socket, remoteAddress, joiner, protocol, maxPayloadBytes, untilAdmitted, refused });
  }
  return (...handshake) => new Promise((resolve) => resolve(accept(...handshake)));
}

interface Offer {
  readonly key: string;
  readonly protocols: readonly string[];
}

/** What the client asks for, or what is wrong with it (RFC 6455 4.2.1). */
function handshakeOf({ method, headers }: IncomingMessage): Offer | string {
  const key = headers['sec-websocket-key'];
  if (method !== 'GET') return 'the method is not GET';
  if (headers.upgrade?.toLowerCase() !== 'websocket') return 'no upgrade to a WebSocket';
  if (key === undefined || !KEY.test(key)) return 'no valid Sec-WebSocket-Key';
  if (!VERSIONS.has(headers['sec-websocket-version'])) return 'not version 13 of the protocol';
  const list = headers['sec-websocket-protocol'];
  const protocols = list === undefined ? [] : list.split(',').map((protocol) => protocol.trim());
  const isRight = protocols.every((protocol) => TOKEN.test(protocol)) && new Set(protocols).size === protocols.length;
  return isRight ? { key, protocols } : 'no valid Sec-WebSocket-Protocol';
}

function answerTo(key: string, protocol: string): string {
  const accept = hash('sha1', key + GUID, 'base64');
  return (
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
    `Sec-WebSocket-Accept: ${accept}\r\n${protocol === '' ? '' : `Sec-WebSocket-Protocol: ${protocol}\r\n`}\r\n`
  );
}
