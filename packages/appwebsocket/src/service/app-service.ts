import { randomUUID } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { AcceptorEnvironment, AcceptorSettings } from '../handshake/acceptor-model.ts';
import { MAX_MESSAGE_BYTES } from '../wire/bounds.ts';
import { PbxApi } from './pbx-api.ts';
import type { JsonApi } from './json-api.ts';
import type { Arrival, ConnectionHost } from './connection-host.ts';
import type { ServiceLimits } from './limits.ts';
import { MAX_CHUNKS, MAX_FRAGMENTS, SERVICE_LIMITS } from './limits.ts';
import { LoginGuard } from './login-guard.ts';
import type { MountTarget } from './mount.ts';
import { isPromise } from './promises.ts';
import { mountUpgrades, refuseUpgrade, claimBelow } from './mount.ts';
import { Routes } from './routes.ts';
import { ServiceConnection } from './service-connection.ts';
import type { AppServiceOptions, Handlers } from './service-options.ts';

/** `perMessageDeflate` stays off: it costs memory per connection and most of the rate, for short messages. */
const WEBSOCKETS = {
  noServer: true,
  clientTracking: false,
  perMessageDeflate: false,
  maxPayload: MAX_MESSAGE_BYTES,
  maxFragments: MAX_FRAGMENTS,
  maxBufferedChunks: MAX_CHUNKS,
};

/** 64 random bits as 16 hex digits. Node draws the bits of its UUIDs in bulk, which is ten times as fast as one by one. */
function newChallenge(): string {
  const uuid = randomUUID();
  // The digits between hold the version.
  return uuid.slice(0, 8) + uuid.slice(28);
}

/** The part of a Fastify instance that {@link AppService.plugin} needs. */
export interface FastifyHost {
  readonly server: EventEmitter;
  addHook(name: 'preClose', hook: () => Promise<void>): unknown;
}

/**
 * An app service: takes logins of pages, other services and PBXs, and dispatches what they send.
 * @example
 * const service = new AppService({ path: '/example.com/hello', password: 'secret' });
 * service.api('com.acme.hello', { Hello: (message) => ({ text: `Hello ${String(message.name)}` }) });
 * const server = createServer();
 * service.mount(server);
 * server.listen(8080);
 */
export class AppService implements AsyncDisposable {
  readonly #options: AppServiceOptions;
  readonly #limits: ServiceLimits;
  readonly #routes = new Routes();
  readonly #claim: (path: string) => number;
  readonly #sockets = new WebSocketServer(WEBSOCKETS);
  readonly #connections = new Set<ServiceConnection>();
  readonly #strangers = new Set<ServiceConnection>();
  readonly #unmounts = new Set<() => void>();
  readonly #host: ConnectionHost;
  #pings: ReturnType<typeof setInterval> | undefined;
  #whenEmpty: (() => void) | undefined;
  #isClosed = false;

  constructor(options: AppServiceOptions) {
    this.#options = options;
    this.#limits = { ...SERVICE_LIMITS, ...options.limits };
    this.#claim = claimBelow(options.path ?? '/');
    this.#host = this.#createHost();
  }

  /** Everybody who has logged in. */
  get connections(): readonly ServiceConnection[] {
    return [...this.#connections].filter((connection) => !this.#strangers.has(connection));
  }

  /** Sockets that have not logged in. */
  get strangerCount(): number {
    return this.#strangers.size;
  }

  /** Handlers for the messages of one API; `""`: of messages without `api`. Throws where one is there already. */
  api(id: string, handlers: Handlers): this {
    this.#routes.addHandlers(id, handlers);
    return this;
  }

  /** Adds a {@link PbxApi} or a {@link JsonApi}. */
  use(api: PbxApi | JsonApi): this {
    if (api instanceof PbxApi) this.#routes.addPbxApi(api);
    else this.#routes.addJsonApi(api);
    return this;
  }

  /**
   * Takes WebSockets of a Node HTTP or HTTPS server, or of a Fastify instance, on its own paths; other upgrades stay
   * with others. Returns what ends that; {@link close} does too.
   */
  mount(target: MountTarget): () => void {
    const unmount = mountUpgrades(target, {
      claim: this.#claim,
      upgrade: (request, socket, head) => this.handleUpgrade(request, socket, head),
    });
    const end = (): void => {
      if (this.#unmounts.delete(end)) unmount();
    };
    this.#unmounts.add(end);
    return end;
  }

  /**
   * A Fastify plugin that mounts the service and closes it with the instance.
   * @example await fastify.register(service.plugin);
   */
  readonly plugin = (fastify: FastifyHost): Promise<void> => {
    this.mount(fastify);
    fastify.addHook('preClose', () => this.close());
    return Promise.resolve();
  };

  /** True if the path of an upgrade belongs to this service. */
  takesPath(path: string): boolean {
    return this.#claim(path) >= 0;
  }

  /** Takes one upgrade, whatever its path: for programs that dispatch `upgrade` events themselves. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (this.#isClosed) return refuseUpgrade(socket, 503, 'Service Unavailable');
    const { guard } = this.#host;
    const waitMs = guard.hasFailures ? guard.waitMs(this.#host.addressOf(request)) : 0;
    if (waitMs > 0) {
      this.#host.refused('too many failed logins', this.#host.addressOf(request));
      return refuseUpgrade(socket, 429, 'Too Many Requests', `Retry-After: ${Math.ceil(waitMs / 1000)}\r\n`);
    }
    const { unauthenticatedSockets, connections } = this.#limits;
    if (this.#strangers.size >= unauthenticatedSockets || this.#connections.size >= connections) {
      this.#host.refused('too many sockets', this.#host.addressOf(request));
      return refuseUpgrade(socket, 503, 'Service Unavailable', 'Retry-After: 30\r\n');
    }
    this.#sockets.handleUpgrade(request, socket, head, (websocket) => {
      const connection = new ServiceConnection(this.#host, websocket, socket, this.#arrivalOf(request));
      this.#connections.add(connection);
      this.#strangers.add(connection);
      this.#pings ??= setInterval(() => this.#tick(), this.#limits.pingMs);
    });
  }

  /** Takes no more, says goodbye to all, and resolves when the last socket is closed. The server stays open. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const unmount of [...this.#unmounts]) unmount();
    for (const connection of this.#connections) connection.close(1001, 'going away');
    if (this.#connections.size === 0) return;
    const others = this.#whenEmpty;
    await new Promise<void>((resolve) => {
      this.#whenEmpty = () => {
        others?.();
        resolve();
      };
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The socket's address costs a call of the system: it is asked for when somebody wants to know. */
  #arrivalOf(request: IncomingMessage): Arrival {
    const { socket, headers } = request;
    const { addressOf, onLogin, onClose } = this.#options;
    const forwardedFor = String(headers['x-forwarded-for'] ?? '');
    if (addressOf === undefined && onLogin === undefined && onClose === undefined)
      return { forwardedFor, address: () => socket.remoteAddress ?? '' };
    const address = this.#host.addressOf(request);
    return { forwardedFor, address: () => address };
  }

  #createHost(): ConnectionHost {
    const options = this.#options;
    const { domain, build, admit, appInfo } = options;
    const settings: AcceptorSettings = {
      role: 'service',
      domain,
      build,
      admit,
      appInfo: typeof appInfo === 'function' ? appInfo : () => appInfo ?? {},
    };
    const environment: AcceptorEnvironment = {
      get nowMs() {
        return Date.now();
      },
      newChallenge,
    };
    return {
      options,
      limits: this.#limits,
      settings,
      environment,
      routes: this.#routes,
      guard: new LoginGuard(this.#limits),
      addressOf: (request) => options.addressOf?.(request) ?? request.socket.remoteAddress ?? '',
      report: (error) => this.#report(error),
      refused: (reason, address) => this.#tell(() => options.onRefused?.(reason, address)),
      admitted: (connection) => {
        this.#strangers.delete(connection);
        this.#tell(() => options.onLogin?.(connection));
      },
      gone: (connection, wasReady) => this.#gone(connection, wasReady),
    };
  }

  #tick(): void {
    for (const connection of this.#connections) connection.tick();
  }

  #gone(connection: ServiceConnection, wasReady: boolean): void {
    this.#connections.delete(connection);
    this.#strangers.delete(connection);
    if (wasReady) this.#tell(() => this.#options.onClose?.(connection));
    if (this.#connections.size > 0) return;
    clearInterval(this.#pings);
    this.#pings = undefined;
    this.#whenEmpty?.();
    this.#whenEmpty = undefined;
  }

  /** A callback that throws, at once or later, harms nobody's connection. */
  #tell(callback: () => unknown): void {
    try {
      const result = callback();
      if (isPromise(result)) result.then(undefined, (error: unknown) => this.#report(error));
    } catch (error) {
      this.#report(error);
    }
  }

  #report(error: unknown): void {
    const { onError } = this.#options;
    if (onError !== undefined) onError(error);
    else process.emitWarning(error instanceof Error ? error : new Error(String(error)));
  }
}
