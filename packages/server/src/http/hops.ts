import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Clock } from '../kit/index.ts';

/** The header field by which one node sends a client's request on to another. Nobody else can make it. */
export const HOP_HEADER = 'x-tieline-hop';
/** RFC 9110 15.5.20: how a hop that was not made for this node, or by no node, is refused. No handler answers so. */
export const MISDIRECTED = 421;
/**
 * How long a hop can be used, and how far the clocks of two nodes may be apart.
 * @peer 421
 * @test http/forwarder: nobody else can make a hop
 */
export const MAX_HOP_AGE_MS = 30_000;

export interface Hop {
  /** The node that the request is for. */
  readonly to: string;
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** The client's address. */
  readonly address: string;
}

/** Makes and checks what a request between nodes carries. */
export interface Hops {
  /** The value of `HOP_HEADER`. */
  sign(hop: Hop): string;
  /** The client's address; null: the request is no hop; `forged`: it claims to be one to this node, and is not. */
  read(req: IncomingMessage): { readonly address: string } | 'forged' | null;
}

/** @param keys the first signs, all are accepted (rotation) */
export function createHops(parts: {
  readonly keys: readonly [string, ...string[]];
  readonly self: string;
  readonly clock: Clock;
}): Hops {
  const { keys, self, clock } = parts;
  return {
    sign: (hop) => {
      const time = String(clock.now());
      return `${time}.${macOf(keys[0], time, hop).toString('base64url')}.${hop.address}`;
    },
    read(req) {
      const header = req.headers[HOP_HEADER];
      if (header === undefined) return null;
      const [, time = '', mac = '', address = ''] = /^(\d{1,16})\.([\w-]{43})\.(.{1,64})$/.exec(String(header)) ?? [];
      const given = Buffer.from(mac, 'base64url');
      if (given.length === 0 || Math.abs(clock.now() - Number(time)) > MAX_HOP_AGE_MS) return 'forged';
      const hop = { to: self, method: req.method ?? '', url: req.url ?? '', address };
      return keys.some((key) => timingSafeEqual(macOf(key, time, hop), given)) ? { address } : 'forged';
    },
  };
}

function macOf(key: string, time: string, { to, method, url, address }: Hop): Buffer {
  return createHmac('sha256', key).update([time, to, method, url, address].join('\n')).digest();
}
