import { Agent, type IncomingMessage, type OutgoingHttpHeaders, request, type ServerResponse } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import { isIP } from 'node:net';
import { pipeline } from 'node:stream';
import type { Clock } from '../kit/index.ts';
import type { ClientAddresses } from './client-address.ts';
import { HOP_HEADER, type Hops, MISDIRECTED } from './hops.ts';
import type { HttpObserver } from './limits.ts';

/**
 * Requests that are with other nodes at once: as many as one address may have sockets there.
 * @peer 503 with Retry-After
 * @test http/forwarder: no more at once than the bound
 */
export const MAX_FORWARDED = 10_000;
/** Nodes are near each other: one that has not taken a connection by then is not there. */
export const FORWARD_CONNECT_MS = 2_000;
/** An idle connection to another node is closed long before that node would close it, so that no request meets its end. */
const IDLE_MS = 4_000;
/** After so long without a byte the system asks whether the other side is still there, and gives up some 10 s later. */
const PROBE_MS = 10_000;

/** What concerns one connection only (RFC 9110 7.6.1), and what no client may say. */
const OWN_TO_CONNECTION: ReadonlySet<string> = new Set([
  'connection',
  'expect',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  HOP_HEADER,
]);

export interface ForwardTarget {
  readonly node: string;
  /** Where the node listens, such as `http://10.0.0.2:8080`. */
  readonly base: string;
  /**
   * The answer may take any time (a poll, a stream): it is cut when this node stops. The request's body is not sent on: where it was
   * read for one node already, a second one would take the next request for it.
   */
  readonly isOpenEnded: boolean;
}

/** Sends requests on to other nodes, streamed in both directions; either side's end is the other's. */
export interface Forwarder {
  /**
   * `answered`: the client has its answer, or is gone. `unreachable`: the node gave none, and the client has got nothing yet; the
   * request's body may be lost.
   */
  forward(req: IncomingMessage, res: ServerResponse, target: ForwardTarget): Promise<'answered' | 'unreachable'>;
  /** Requests under way. */
  readonly size: number;
  /** Cuts what is open-ended: the node stops. */
  drain(): void;
  close(): void;
}

export interface ForwarderParts {
  readonly hops: Hops;
  readonly addresses: ClientAddresses;
  readonly clock: Clock;
  readonly observer: Pick<HttpObserver, 'limitHit'>;
  /** PEM text: whose certificates other nodes have, if not those of the system's authorities. */
  readonly ca?: string;
  readonly max?: number;
}

export function createForwarder(parts: ForwarderParts): Forwarder {
  const { hops, addresses, clock, observer, ca, max = MAX_FORWARDED } = parts;
  const settings = { keepAlive: true, timeout: IDLE_MS };
  const agent = new Agent(settings);
  const tlsAgent = new TlsAgent({ ...settings, ...(ca === undefined ? {} : { ca }) });
  const openEnded = new Set<ServerResponse>();
  let size = 0;

  function send(req: IncomingMessage, { node, base, isOpenEnded }: ForwardTarget) {
    const { protocol, hostname, port } = new URL(base);
    const [method, url] = [req.method ?? '', req.url ?? ''];
    const hop = hops.sign({ to: node, method, url, address: addresses.addressOf(req) });
    const { 'content-length': length, ...headers } = forwardable(req.headers);
    const size = isOpenEnded || length === undefined ? {} : { 'content-length': length };
    const options = {
      host: hostname.replace(/^\[(.*)\]$/, '$1'),
      port,
      method,
      path: url,
      headers: { ...headers, ...size, [HOP_HEADER]: hop },
    };
    return protocol === 'https:'
      ? tlsRequest({ ...options, agent: tlsAgent, servername: isIP(options.host) === 0 ? options.host : '' })
      : request({ ...options, agent });
  }

  function exchange(req: IncomingMessage, res: ServerResponse, target: ForwardTarget) {
    const { promise, resolve } = Promise.withResolvers<'answered' | 'unreachable'>();
    const upstream = send(req, target);
    const slow = clock.after(FORWARD_CONNECT_MS, () => upstream.destroy(new Error('no connection in time')));
    const connected = (): void => slow.cancel();
    const gone = (): void => void upstream.destroy();
    res.once('close', gone);
    req.socket.setKeepAlive(true, PROBE_MS);
    upstream.setSocketKeepAlive(true, PROBE_MS);
    upstream.once('socket', (socket) => {
      if (socket.connecting) socket.once(target.base.startsWith('https:') ? 'secureConnect' : 'connect', connected);
      else connected();
    });
    let isAnswered = false;
    function lost(): void {
      connected();
      // What nobody takes is thrown away, or the next request of the connection would never be read.
      req.unpipe(upstream).resume();
      if (isAnswered) return;
      res.off('close', gone);
      resolve(res.destroyed ? 'answered' : 'unreachable');
    }
    upstream.on('error', lost);
    upstream.once('response', (answer) => {
      if (answer.statusCode === MISDIRECTED) {
        // The node is gone, and another one listens there.
        upstream.destroy();
        return lost();
      }
      isAnswered = true;
      if (answer.headers.connection === 'close') res.shouldKeepAlive = false;
      res.writeHead(answer.statusCode ?? 502, forwardable(answer.headers));
      // It closes both where either breaks: the client sees the break, the other node sees that its client is gone.
      pipeline(answer, res, () => resolve('answered'));
    });
    if (target.isOpenEnded) {
      req.resume();
      upstream.end();
    } else req.pipe(upstream);
    return promise;
  }

  return {
    get size() {
      return size;
    },
    async forward(req, res, target) {
      // While its node was looked for, the client has gone: nothing would end what it asks for there.
      if (res.destroyed) return 'answered';
      if (size >= max) {
        observer.limitHit('http.forwarded', addresses.addressOf(req));
        res.writeHead(503, { 'retry-after': '5', 'content-length': '0' }).end();
        return 'answered';
      }
      size++;
      if (target.isOpenEnded) openEnded.add(res);
      try {
        return await exchange(req, res, target);
      } finally {
        size--;
        openEnded.delete(res);
      }
    },
    drain() {
      for (const res of openEnded) res.destroy();
    },
    close() {
      agent.destroy();
      tlsAgent.destroy();
    },
  };
}

function forwardable(headers: IncomingMessage['headers']): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !OWN_TO_CONNECTION.has(name)));
}
