import { randomBytes } from 'node:crypto';
import { systemClock } from '../clock/index.ts';
import type { Clock, Timer } from '../clock/index.ts';
import type { DigestServer, DigestVerdict } from '../digest/index.ts';
import { LocationFull, byPreference, contactOf, isReachable } from '../location/index.ts';
import type { Binding, LocationService } from '../location/index.ts';
import { SyntaxFailure, isSipUri, makeResponse } from '../messages/index.ts';
import type { SipRequest, SipResponse, SipUri } from '../messages/index.ts';
import type { Connection, Flow } from '../transport/port.ts';
import { applyRegister } from './apply-register.ts';
import { DEFAULT_POLICY } from './policy.ts';
import type { RegistrarPolicy } from './policy.ts';
import { readRegister } from './read-register.ts';
import type { RegisterWish } from './read-register.ts';
import { RegisterRefusal } from './refusal.ts';

export type ChangeCause = 'register' | 'expiry' | 'connection';

export interface RegistrarOptions {
  readonly location: LocationService;
  /** Who proves himself; without it everybody may register. */
  readonly digest?: DigestServer;
  /** Whether a proven user may bind this address; by default its user part must be his name. */
  readonly mayRegister?: (username: string, aor: string) => boolean | Promise<boolean>;
  /** The address of record that a To means; undefined: no such address (404). By default `SipUri.aor`. */
  readonly aorOf?: (to: SipUri) => string | undefined | Promise<string | undefined>;
  readonly policy?: Partial<RegistrarPolicy>;
  /** RFC 3608: where the client is to send its requests through; values of Service-Route. */
  readonly serviceRoute?: readonly string[];
  /** RFC 5626 5.4: how often clients shall show that they live, in seconds. */
  readonly flowTimerS?: number;
  /** Milliseconds; the scale of `Binding.expiresAtMs`, and the location's. `Date.now` where missing. */
  readonly now?: () => number;
  readonly clock?: Clock;
  /** Hears of every change of an address, with what is bound after it. */
  readonly onChange?: (aor: string, bindings: readonly Binding[], cause: ChangeCause) => void;
  /** Hears of credentials that were wrong: to slow down those who guess. */
  readonly onRefused?: (username: string, flow: Flow, cause: string) => void;
  /** Hears of errors of the location and of the secrets, which the client then sees as 500. Without it `handle` rejects with them. */
  readonly onError?: (error: unknown) => void;
}

const EXTENSIONS: readonly string[] = ['path', 'outbound'];
/** Bindings that are over are not found any more; this is how soon they are also cleared away and told. */
const SWEEP_MS = 5_000;
/** When the location is full, or fails. */
const RETRY_AFTER_S = 30;

/**
 * A registrar (RFC 3261 10.3, RFC 3327, RFC 5626 6).
 *
 * @example
 * const registrar = new Registrar({ location: new MemoryLocation(), digest });
 * transaction.respond(await registrar.handle(request, flow));
 */
export class Registrar {
  readonly #options: RegistrarOptions;
  readonly #policy: RegistrarPolicy;
  readonly #clock: Clock;
  readonly #now: () => number;
  readonly #watched = new WeakSet<Connection>();
  #sweep: Timer | undefined;
  #isClosed = false;

  constructor(options: RegistrarOptions) {
    this.#options = options;
    this.#policy = { ...DEFAULT_POLICY, ...options.policy };
    this.#clock = options.clock ?? systemClock;
    this.#now = options.now ?? Date.now;
    this.#scheduleSweep();
  }

  /** The answer to a REGISTER. */
  async handle(request: SipRequest, flow: Flow): Promise<SipResponse> {
    let response: SipResponse;
    try {
      response = await this.#decide(request, flow);
    } catch (error) {
      response = refusalFor(request, error) ?? this.#fail(request, error);
    }
    const { to } = response.headers;
    if (to !== undefined && to.tag === undefined)
      response.headers.set('To', to.withParam('tag', randomBytes(9).toString('base64url')));
    return response;
  }

  /** Where an address can be reached now, best first. */
  async find(aor: string): Promise<readonly Binding[]> {
    const found = await this.#options.location.find(aor);
    return found.filter(isReachable).toSorted(byPreference);
  }

  /** Stops the clearing away. The location stays as it is. */
  close(): void {
    this.#isClosed = true;
    this.#sweep?.cancel();
  }

  #fail(request: SipRequest, error: unknown): SipResponse {
    const { onError } = this.#options;
    if (onError === undefined) throw error;
    onError(error);
    const response = makeResponse(request, 500);
    response.headers.add('Retry-After', RETRY_AFTER_S);
    return response;
  }

  async #decide(request: SipRequest, flow: Flow): Promise<SipResponse> {
    if (request.method !== 'REGISTER') throw new RegisterRefusal(405, undefined, [['Allow', 'REGISTER']]);
    const unknown = request.headers.require.filter((tag) => !EXTENSIONS.includes(tag));
    if (unknown.length > 0) throw new RegisterRefusal(420, undefined, [['Unsupported', unknown.join(', ')]]);
    const verdict = await this.#options.digest?.verify(request);
    if (verdict !== undefined && verdict.kind !== 'proven') return this.#challenge(request, flow, verdict);
    const aor = await this.#aorOf(request);
    if (verdict !== undefined && !(await this.#mayRegister(verdict.username, aor))) throw new RegisterRefusal(403);
    const wish = readRegister(request, flow, this.#policy);
    const bindings = await this.#apply(aor, wish);
    return this.#accept(request, wish, bindings, verdict?.info);
  }

  #challenge(request: SipRequest, flow: Flow, verdict: Exclude<DigestVerdict, { kind: 'proven' }>): SipResponse {
    const { digest } = this.#options;
    if (verdict.kind === 'malformed' || digest === undefined)
      throw new RegisterRefusal(400, verdict.kind === 'malformed' ? verdict.reason : undefined);
    if (verdict.kind === 'refused') this.#options.onRefused?.(verdict.username, flow, verdict.cause);
    return digest.challenge(makeResponse(request, digest.status), verdict);
  }

  async #aorOf(request: SipRequest): Promise<string> {
    const to = request.headers.to?.uri;
    const { aorOf = (uri: SipUri) => uri.aor } = this.#options;
    const aor = to === undefined || !isSipUri(to) ? undefined : await aorOf(to);
    if (aor === undefined) throw new RegisterRefusal(404);
    return aor;
  }

  async #mayRegister(username: string, aor: string): Promise<boolean> {
    const { mayRegister } = this.#options;
    return mayRegister === undefined ? aor.startsWith(`sip:${username}@`) : mayRegister(username, aor);
  }

  async #apply(aor: string, wish: RegisterWish): Promise<readonly Binding[]> {
    const { location } = this.#options;
    // RFC 3261 10.3 step 6: without Contact it only asks.
    if (!wish.isWildcard && wish.contacts.length === 0) return location.find(aor);
    const context = { aor, nowMs: this.#now(), policy: this.#policy };
    const bindings = await location.update(aor, (current) => applyRegister(current, wish, context));
    this.#watch(wish.flow);
    this.#options.onChange?.(aor, bindings, 'register');
    return bindings;
  }

  #accept(
    request: SipRequest,
    wish: RegisterWish,
    bindings: readonly Binding[],
    info: string | undefined,
  ): SipResponse {
    const response = makeResponse(request, 200);
    const { headers } = response;
    const nowMs = this.#now();
    for (const binding of bindings.toSorted(byPreference)) headers.add('Contact', contactOf(binding, nowMs));
    for (const path of wish.path) headers.add('Path', path);
    for (const route of this.#options.serviceRoute ?? []) headers.add('Service-Route', route);
    headers.add('Supported', EXTENSIONS.join(', '));
    if (wish.isOutbound) headers.add('Require', 'outbound');
    if (wish.isOutbound && this.#options.flowTimerS !== undefined) headers.add('Flow-Timer', this.#options.flowTimerS);
    if (info !== undefined) headers.add('Authentication-Info', info);
    headers.add('Date', new Date(nowMs).toUTCString());
    return response;
  }

  /** A phone behind a connection that ended is gone, whatever its Contact says (RFC 5626 6). */
  #watch(flow: Flow | undefined): void {
    const connection = flow?.connection;
    if (connection === undefined) return;
    const drop = (): void => {
      if (!this.#isClosed) this.#clear(this.#options.location.dropConnection(connection.id), 'connection');
    };
    if (!connection.isOpen) return drop();
    if (this.#watched.has(connection)) return;
    this.#watched.add(connection);
    connection.onClose(drop);
  }

  #scheduleSweep(): void {
    this.#sweep = this.#clock.after(SWEEP_MS, () => {
      this.#clear(this.#options.location.expire(), 'expiry');
      if (!this.#isClosed) this.#scheduleSweep();
    });
  }

  #clear(clearing: Promise<readonly Binding[]>, cause: ChangeCause): void {
    clearing
      .then(async (gone) => {
        for (const aor of new Set(gone.map((binding) => binding.aor)))
          this.#options.onChange?.(aor, await this.#options.location.find(aor), cause);
      })
      .catch((error: unknown) => this.#options.onError?.(error));
  }
}

/** The answer to what is the client's fault, or a lack of room. */
function refusalFor(request: SipRequest, error: unknown): SipResponse | undefined {
  if (error instanceof SyntaxFailure) return makeResponse(request, 400, `Bad ${error.what}`);
  if (error instanceof LocationFull) {
    const response = makeResponse(request, 503);
    response.headers.add('Retry-After', RETRY_AFTER_S);
    return response;
  }
  if (!(error instanceof RegisterRefusal)) return undefined;
  const response = makeResponse(request, error.status, error.reason);
  for (const [name, value] of error.headers) response.headers.add(name, value);
  return response;
}
