import { readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { every, reasonOf, type Clock, type Timer } from '../kit/index.ts';
import type { HttpLimits, HttpObserver } from './limits.ts';

export interface ListenAddress {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Paths of PEM files. The certificate file holds the chain. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

export interface ListenerHandlers {
  readonly request: (req: IncomingMessage, res: ServerResponse) => void;
  readonly upgrade: (req: IncomingMessage, socket: Duplex, head: Buffer) => void;
  readonly shouldUpgrade: (req: IncomingMessage) => boolean;
}

/** How often the certificate files are looked at: soon enough for whoever has just changed them and looks. */
const CERTIFICATE_POLL_MS = 2_000;

/** One address that is listened on. */
export class Listener {
  readonly server: Server | TlsServer;
  readonly #address: ListenAddress;
  readonly #observer: HttpObserver;
  #seen = '';
  #problem = '';
  #poll: Timer | undefined;

  constructor(address: ListenAddress, handlers: ListenerHandlers, limits: HttpLimits, observer: HttpObserver) {
    this.#address = address;
    this.#observer = observer;
    const settings = {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.keepAliveMs,
      connectionsCheckingInterval: limits.timeoutCheckMs,
      shouldUpgradeCallback: handlers.shouldUpgrade,
    };
    this.server =
      address.tls === undefined
        ? createServer(settings)
        : createTlsServer({
            ...settings,
            ...this.#readCertificates(address.tls),
            minVersion: 'TLSv1.2',
            handshakeTimeout: limits.headersTimeoutMs,
          });
    this.server.on('request', handlers.request);
    this.server.on('upgrade', handlers.upgrade);
  }

  get isTls(): boolean {
    return this.#address.tls !== undefined;
  }

  /** `https://127.0.0.1:8443` */
  get url(): string {
    const { address, port, family } = this.bound;
    const host = family === 'IPv6' ? `[${address}]` : address;
    return `${this.isTls ? 'https' : 'http'}://${host}:${port}`;
  }

  get bound(): AddressInfo {
    const bound = this.server.address();
    if (bound === null || typeof bound === 'string') throw new Error('not listening');
    return bound;
  }

  /** @throws what the operating system says, e.g. EADDRINUSE */
  async open(clock: Clock): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen({ host: this.#address.host, port: this.#address.port }, () => {
        this.server.off('error', reject);
        resolve();
      });
    });
    if (this.isTls) this.#poll = every(clock, CERTIFICATE_POLL_MS, () => this.reloadCertificates(false));
  }

  /** Stops accepting. Connections that stand stay. */
  stopAccepting(): void {
    this.#poll?.cancel();
    if (this.server.listening) this.server.close();
  }

  /** Reads the certificate files again, if they changed or `force`. New connections get the new ones. */
  reloadCertificates(force: boolean): void {
    const files = this.#address.tls;
    if (files === undefined || !(this.server instanceof TlsServer)) return;
    const name = `${this.#address.host}:${this.#address.port}`;
    try {
      const seen = this.#seen;
      if (!force && fingerprint(files) === seen) return;
      this.server.setSecureContext({ ...this.#readCertificates(files), minVersion: 'TLSv1.2' });
      this.#problem = '';
      this.#observer.certificatesReloaded(name);
    } catch (error) {
      // A certificate written before its key doesn't fit yet: the old pair stays, the next change tries again.
      const problem = reasonOf(error);
      if (force || problem !== this.#problem) this.#observer.certificatesReloaded(name, error);
      this.#problem = problem;
    }
  }

  #readCertificates(files: { readonly cert: string; readonly key: string }): { cert: Buffer; key: Buffer } {
    this.#seen = fingerprint(files);
    return { cert: readFileSync(files.cert), key: readFileSync(files.key) };
  }
}

/** Changes when either file is replaced or rewritten. */
function fingerprint(files: { readonly cert: string; readonly key: string }): string {
  return [files.cert, files.key]
    .map((file) => {
      const { mtimeMs, size, ino } = statSync(file);
      return `${mtimeMs}:${size}:${ino}`;
    })
    .join(' ');
}
