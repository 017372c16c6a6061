import type { IncomingMessage } from 'node:http';
import { offeredProtocols } from './headers.ts';

/** RFC 6455 4.2.1: a key is 16 octets in base64. */
const keyForm = /^[+/0-9A-Za-z]{22}==$/;

export const notWebSocket = 'Not a valid websocket request';

/** What an Upgrade request asks for. */
export type Handshake =
  { readonly kind: 'websocket' } | { readonly kind: 'hixie76' } | { readonly kind: 'invalid' | 'wrong-version' };

export function handshakeOf(req: IncomingMessage): Handshake {
  const { headers } = req;
  if (headers.upgrade?.toLowerCase() !== 'websocket') return { kind: 'invalid' };
  if (!/(?:^|,)\s*upgrade\s*(?:,|$)/i.test(headers.connection ?? '')) return { kind: 'invalid' };
  if (headers['sec-websocket-key1'] !== undefined && headers['sec-websocket-key2'] !== undefined)
    return { kind: 'hixie76' };
  if (!keyForm.test(headers['sec-websocket-key'] ?? '')) return { kind: 'invalid' };
  return { kind: headers['sec-websocket-version'] === '13' ? 'websocket' : 'wrong-version' };
}

/** TM ST-2: the best of ours that was offered, as `AcceptOptions.protocols`. */
export function selectProtocols(req: IncomingMessage, ours: readonly string[]): readonly string[] {
  const offered = offeredProtocols(req);
  return ours.filter((name) => offered.includes(name)).slice(0, 1);
}
