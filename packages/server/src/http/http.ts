import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { every, systemClock, type Clock, type Stop } from '../kit/index.ts';
import { createApp } from './app.ts';
import { answerClientError } from './client-error.ts';
import { createClientAddresses, type ClientAddresses } from './client-address.ts';
import { type Hops, MISDIRECTED } from './hops.ts';
import { createHostCheck, pathOf } from './host-check.ts';
import { DEFAULT_LIMITS, silentObserver, type HttpLimits, type HttpObserver } from './limits.ts';
import { Listener, type ListenAddress } from './listener.ts';
import { createLobby, type Lobby } from './lobby.ts';
import { MountTable, type PathRule, type RawHandler, type UpgradeHandler } from './mounts.ts';
import { createOrigins, type Origins } from './origins.ts';
import { Pipeline } from './pipeline.ts';
import { destroyOnError, refuseUpgrade } from './refusal.ts';
import { letGoAtClose, SocketCensus } from './socket-census.ts';
import { TurnJoiner } from './turn-joiner.ts';
import { createWebSocketAcceptor, type AcceptWebSocket } from './websocket-acceptor.ts';

export interface HttpOptions {
  readonly listen: readonly ListenAddress[];
  /** Names under which clients reach this server, besides loopback and the addresses listened on. */
  readonly names?: readonly string[];
  /** Origins whose pages may use it with credentials, besides its own; `*` for any, without credentials. */
  readonly allowedOrigins?: readonly string[];
  /** Addresses and ranges of proxies whose `X-Forwarded-…` count; `loopback` for this machine's. */
  readonly trustProxy?: readonly string[];
  readonly limits?: Partial<HttpLimits>;
  readonly clock?: Clock;
  readonly observer?: HttpObserver;
  /** Checks requests that come from other nodes; without it there are none. */
  readonly hops?: Hops;
}

/** What `close` does between accepting no more and giving up. */
export interface CloseOptions {
  /** How long connections may take to end by themselves. Default 0: none. */
  readonly drainMs?: number;
}

/** While draining, how often connections that have become idle are closed. */
const IDLE_SWEEP_MS = 50;

/**
 * All HTTP of one node: REST and pages on Fastify (`app`), raw mounts before it, and WebSockets, on any number of
 * listeners. Order of use: mount, `listen`, `close`.
 */
export class Http {
  /** Routes are added here before `listen`. */
  readonly app: FastifyInstance;
  readonly addresses: ClientAddresses;
  readonly origins: Origins;
  /** The places of those who have not logged in yet, for all surfaces together. */
  readonly lobby: Lobby;
  readonly acceptWebSocket: AcceptWebSocket;
  readonly #clock: Clock;
  readonly #observer: HttpObserver;
  readonly #listeners: readonly Listener[];
  readonly #census: SocketCensus;
  readonly #raw = new MountTable<RawHandler>();
  readonly #upgrades = new MountTable<UpgradeHandler>();
  readonly #joiner = new TurnJoiner();
  readonly #pipeline = new Pipeline();
  readonly #isHostKnown: (req: IncomingMessage) => boolean;
  readonly #hops: Hops | undefined;
  /** Requests that other nodes have sent on, and the addresses of their clients. */
  readonly #hopped = new WeakMap<IncomingMessage, string>();
  #drainHooks: readonly (() => void | Promise<void>)[] = [];
  #closing: Promise<void> | undefined;

  constructor(options: HttpOptions) {
    const limits: HttpLimits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#clock = options.clock ?? systemClock;
    this.#observer = options.observer ?? silentObserver;
    this.#hops = options.hops;
    const addresses = createClientAddresses(options.trustProxy ?? []);
    this.addresses = { ...addresses, addressOf: (req) => this.#hopped.get(req) ?? addresses.addressOf(req) };
    this.origins = createOrigins(options.allowedOrigins ?? [], this.addresses);
    const names = [
      ...(options.names ?? []),
      ...options.listen.map((l) => l.host).filter((h) => h !== '0.0.0.0' && h !== '::'),
    ];
    this.#isHostKnown = createHostCheck({ names, addresses: this.addresses });
    this.lobby = createLobby({
      clock: this.#clock,
      max: limits.lobby,
      maxPerAddress: limits.lobbyPerAddress,
      maxMs: limits.loginTimeoutMs,
      observer: this.#observer,
    });
    this.acceptWebSocket = createWebSocketAcceptor({
      joiner: this.#joiner,
      addressOf: (req) => this.addresses.addressOf(req),
      observer: this.#observer,
    });
    this.app = createApp(limits, this.addresses, this.#observer);
    this.#census = new SocketCensus(limits, this.#observer, (a) => this.addresses.isTrusted(a));
    this.#listeners = options.listen.map((address) => this.#prepare(address, limits));
  }

  /** Base URLs in the order of `listen`; once it listens. */
  get urls(): readonly string[] {
    return this.#listeners.map((l) => l.url);
  }

  get socketCount(): number {
    return this.#census.size;
  }

  get isDraining(): boolean {
    return this.#closing !== undefined;
  }

  /** Another node has sent this request on: serve it here. */
  isHop(req: IncomingMessage): boolean {
    return this.#hopped.has(req);
  }

  /** Gives everything at and below `prefix` to `handler`, before Fastify sees it. */
  mountRaw(prefix: string, handler: RawHandler): Stop {
    return this.#raw.add({ prefix }, handler);
  }

  /** Gives WebSocket handshakes to `handler`. Paths without one are ordinary requests. */
  mountUpgrade(rule: PathRule, handler: UpgradeHandler): Stop {
    return this.#upgrades.add(rule, handler);
  }

  /** Everything written to this socket until the end of the turn leaves in one write. For streams of our own, such as SSE. */
  joinWrites(socket: Duplex): void {
    this.#joiner.join(socket);
  }

  /** Runs `run` at the end of this turn, just before the sockets are written: for surfaces that gather messages themselves. */
  atTurnEnd(run: () => void): void {
    this.#joiner.atTurnEnd(run);
  }

  /** Runs when closing begins: say goodbye and end your connections. Hooks run side by side. */
  onDrain(hook: () => void | Promise<void>): Stop {
    this.#drainHooks = [...this.#drainHooks, hook];
    return () => {
      this.#drainHooks = this.#drainHooks.filter((h) => h !== hook);
    };
  }

  /** @throws what the operating system says; nothing listens then. */
  async listen(): Promise<void> {
    await this.app.ready();
    try {
      for (const listener of this.#listeners) await listener.open(this.#clock);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Reads the certificate files of all listeners again (SIGHUP). Changed files are also noticed by themselves. */
  reloadCertificates(): void {
    for (const listener of this.#listeners) listener.reloadCertificates(true);
  }

  /**
   * Stops accepting, runs the drain hooks, waits up to `drainMs` for connections to end and destroys what is left.
   * Repeated calls wait for the first.
   */
  close(options: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#drain(options.drainMs ?? 0);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #drain(drainMs: number): Promise<void> {
    for (const listener of this.#listeners) listener.stopAccepting();
    const sweep = every(systemClock, IDLE_SWEEP_MS, () => this.#closeIdle());
    const { promise: deadline, resolve: giveUp } = Promise.withResolvers<undefined>();
    const timer = setTimeout(giveUp, drainMs, undefined);
    await Promise.race([this.#runDrainHooks().then(() => this.#census.empty()), deadline]);
    clearTimeout(timer);
    sweep.cancel();
    this.#joiner.flush();
    this.#census.destroyAll();
    await this.#census.empty();
    await this.app.close();
  }

  async #runDrainHooks(): Promise<void> {
    const results = await Promise.allSettled(this.#drainHooks.map(async (hook) => hook()));
    for (const result of results)
      if (result.status === 'rejected') this.#observer.handlerFailed('drain', result.reason);
    this.#closeIdle();
  }

  #closeIdle(): void {
    for (const listener of this.#listeners) listener.server.closeIdleConnections();
  }

  #prepare(address: ListenAddress, limits: HttpLimits): Listener {
    const handlers = {
      request: (req: IncomingMessage, res: ServerResponse) => this.#request(req, res),
      upgrade: (req: IncomingMessage, socket: Duplex, head: Buffer) => this.#upgrade(req, socket, head),
      shouldUpgrade: (req: IncomingMessage) => this.#isUpgrade(req),
    };
    const listener = new Listener(address, handlers, limits, this.#observer);
    listener.server.prependListener('connection', (socket: Socket) => this.#census.admit(socket));
    listener.server.prependListener('secureConnection', letGoAtClose);
    listener.server.on('clientError', (error: Error, socket: Duplex) => {
      const remote = 'remoteAddress' in socket ? String(socket.remoteAddress) : 'unknown';
      const limit = answerClientError(error, socket);
      if (limit !== undefined) this.#observer.limitHit(limit, remote);
    });
    return listener;
  }

  #request(req: IncomingMessage, res: ServerResponse): void {
    if (!this.#pipeline.enter(req.socket, res)) {
      this.#observer.limitHit('http.pipelined', this.addresses.addressOf(req));
      req.socket.destroy();
      return;
    }
    if (this.isDraining) res.shouldKeepAlive = false;
    const refusal = this.#refusalOf(req);
    if (refusal !== undefined) {
      res.writeHead(refusal, { 'content-length': 0, connection: 'close' }).end();
      return;
    }
    const raw = this.#raw.find(pathOf(req));
    if (raw === undefined) this.app.routing(req, res);
    else void this.#runRaw(raw, req, res);
  }

  async #runRaw(handler: RawHandler, req: IncomingMessage, res: ServerResponse): Promise<void> {
    try {
      await handler(req, res);
    } catch (error) {
      this.#observer.handlerFailed(`${req.method ?? ''} ${pathOf(req)}`, error);
      if (res.headersSent) res.destroy();
      else res.writeHead(500, { 'content-length': 0, connection: 'close' }).end();
    }
  }

  /** Only a WebSocket handshake for a path that somebody owns; anything else with an Upgrade field is an ordinary request. */
  #isUpgrade(req: IncomingMessage): boolean {
    if (req.method !== 'GET' || req.headers.upgrade?.toLowerCase() !== 'websocket') return false;
    return this.#upgrades.find(pathOf(req)) !== undefined;
  }

  #upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', destroyOnError);
    const handler = this.#isUpgrade(req) ? this.#upgrades.find(pathOf(req)) : undefined;
    const refusal = this.isDraining ? 503 : (this.#refusalOf(req) ?? (handler === undefined ? 404 : undefined));
    if (refusal !== undefined || handler === undefined) return refuseUpgrade(socket, refusal ?? 404);
    void this.#runUpgrade(handler, req, socket, head);
  }

  async #runUpgrade(handler: UpgradeHandler, req: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    try {
      await handler(req, socket, head);
    } catch (error) {
      this.#observer.handlerFailed(`upgrade ${pathOf(req)}`, error);
      socket.destroy();
    }
  }

  /** RFC 9112 3.2.2 would have a server accept the absolute form; only proxies get it, and we are none. */
  #refusalOf(req: IncomingMessage): number | undefined {
    const isPath = req.url?.startsWith('/') === true || (req.method === 'OPTIONS' && req.url === '*');
    if (!isPath) return 400;
    if (req.headers.host === undefined && req.httpVersion !== '1.0') return 400;
    const hop = this.#hops?.read(req) ?? null;
    if (hop === 'forged') {
      this.#observer.limitHit('http.hop', this.addresses.addressOf(req));
      return MISDIRECTED;
    }
    // The node that it comes from has checked the name.
    if (hop !== null) return void this.#hopped.set(req, hop.address);
    if (this.#isHostKnown(req)) return undefined;
    this.#observer.limitHit('http.host', this.addresses.addressOf(req));
    return 421;
  }
}
