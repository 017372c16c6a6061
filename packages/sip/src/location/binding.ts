import { NameAddr, Params, parseNameAddr, parseUri } from '../messages/index.ts';
import type { Uri } from '../messages/index.ts';
import type { Flow } from '../transport/port.ts';

/** One place where an address of record can be reached (RFC 3261 10, RFC 5626 6). Plain data but for `flow`. */
export interface Binding {
  readonly aor: string;
  /** The Contact URI, as written. */
  readonly contact: string;
  /** The other parameters of that Contact (`;+sip.instance="…";methods="…"`), as written; without q and expires. */
  readonly params: string;
  /** Preference in thousandths. */
  readonly q: number;
  /** On the registrar's scale (`RegistrarOptions.now`). */
  readonly expiresAtMs: number;
  readonly callId: string;
  readonly cseq: number;
  /** RFC 3327: the proxies between, nearest to us first; values of Route. */
  readonly path: readonly string[];
  /** RFC 5626: which device, and which of its flows. */
  readonly instanceId?: string | undefined;
  readonly regId?: number | undefined;
  /** The way it came, where no proxy stands between: requests to it go back over this very flow. */
  readonly flow?: Flow | undefined;
  readonly userAgent?: string | undefined;
}

/** How a request reaches a binding (RFC 3261 16.5, RFC 3327 5, RFC 5626 5.3): what to put on it, and over which flow. */
export interface BindingRoute {
  readonly requestUri: Uri;
  readonly route: readonly NameAddr[];
  /** Undefined: find the place of the first Route, or else of the Request-URI, by DNS (`locate`). */
  readonly flow: Flow | undefined;
}

export function routeOf(binding: Binding): BindingRoute {
  return {
    requestUri: parseUri(binding.contact),
    route: binding.path.map((text) => parseNameAddr(text, 'Path')),
    flow: binding.flow,
  };
}

/** Whether its connection, if it has one, still stands. A phone behind a closed connection is not to be found at its Contact. */
export function isReachable(binding: Binding): boolean {
  return binding.flow?.connection?.isOpen !== false;
}

/** Contact as it stands in the answer to REGISTER (RFC 3261 10.3 step 8). */
export function contactOf(binding: Binding, nowMs: number): string {
  const left = Math.max(0, Math.ceil((binding.expiresAtMs - nowMs) / 1000));
  const q = binding.q === 1000 ? '' : `;q=${(binding.q / 1000).toString()}`;
  return `${new NameAddr(undefined, binding.contact, Params.none).toString()}${binding.params}${q};expires=${left}`;
}

/** Best first: by q, then the newest (RFC 3261 16.6 tries them in this order). */
export function byPreference(a: Binding, b: Binding): number {
  return b.q - a.q || b.expiresAtMs - a.expiresAtMs;
}
