import { isIpv4, isSipUri } from '../messages/index.ts';
import type { SipUri, Uri } from '../messages/index.ts';
import { SipError } from '../transactions/errors.ts';
import { defaultPort } from '../transport/index.ts';
import type { Flow, FlowFinder, Protocol, Target } from '../transport/index.ts';

/** Where a URI is to be sent, best first (RFC 3263 4). Rejects where nothing is found. */
export type Resolve = (uri: SipUri, signal?: AbortSignal) => Promise<readonly Target[]>;

const PROTOCOLS: ReadonlySet<string> = new Set(['udp', 'tcp', 'tls', 'ws', 'wss']);

/** A way for a request: a flow, or the URI of the next hop. */
export type Hop = Flow | Uri;

export const isFlow = (hop: Hop): hop is Flow => 'remote' in hop;

/** The target of a URI that names an address, which needs no DNS (RFC 3263 4.1, 4.2). */
export function literalTarget(uri: SipUri): Target | undefined {
  const address = uri.params.get('maddr')?.replace(/^\[(.*)\]$/, '$1') ?? uri.address;
  if (!address.includes(':') && !isIpv4(address)) return undefined;
  const protocol = protocolOf(uri);
  return { protocol, address, port: uri.port ?? defaultPort(protocol) };
}

/** RFC 3261 26.2.2: `sips` is never sent in the clear. */
function protocolOf(uri: SipUri): Protocol {
  const named = uri.transport;
  if (uri.scheme === 'sips') return named === 'ws' || named === 'wss' ? 'wss' : 'tls';
  return named !== undefined && PROTOCOLS.has(named) ? (named as Protocol) : 'udp';
}

/** Finds flows for hops; at once where the hop names an address. */
export class Reach {
  readonly #finder: FlowFinder;
  readonly #resolve: Resolve | undefined;

  constructor(finder: FlowFinder, resolve: Resolve | undefined) {
    this.#finder = finder;
    this.#resolve = resolve;
  }

  /** Throws or rejects with `unreachable`. Never gives an empty list. */
  flows(hop: Hop): readonly Flow[] | Promise<readonly Flow[]> {
    if (isFlow(hop)) return [hop];
    if (!isSipUri(hop)) throw new SipError('unreachable', `${hop.scheme}: is no address to send to`);
    const literal = literalTarget(hop);
    if (literal !== undefined) return this.#found([literal], hop);
    if (this.#resolve === undefined) throw new SipError('unreachable', `no resolver for ${hop.host}`);
    return this.#resolve(hop).then(
      (targets) => this.#found(targets, hop),
      (error: unknown) => {
        throw new SipError('unreachable', `${hop.host} was not found`, error);
      },
    );
  }

  #found(targets: readonly Target[], uri: SipUri): readonly Flow[] {
    const flows: Flow[] = [];
    for (const target of targets) {
      const flow = this.#finder.flowTo(target);
      if (flow !== undefined) flows.push(flow);
    }
    if (flows.length === 0) throw new SipError('unreachable', `no way to ${uri.toString()}`);
    return flows;
  }
}
