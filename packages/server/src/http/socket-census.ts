import type { Socket } from 'node:net';
import { Roster, type Stop } from '../kit/index.ts';
import { plainAddress } from './client-address.ts';
import type { HttpLimits, HttpObserver } from './limits.ts';

/** Counts the sockets of all listeners and refuses those over the bounds, before a byte is read from them. */
export class SocketCensus {
  readonly #sockets = new Roster<Socket>();
  readonly #byAddress = new Map<string, number>();
  readonly #waiting: (() => void)[] = [];
  readonly #limits: Pick<HttpLimits, 'sockets' | 'socketsPerAddress'>;
  readonly #observer: HttpObserver;
  readonly #isExempt: (address: string) => boolean;

  constructor(
    limits: Pick<HttpLimits, 'sockets' | 'socketsPerAddress'>,
    observer: HttpObserver,
    isExempt: (address: string) => boolean,
  ) {
    this.#limits = limits;
    this.#observer = observer;
    this.#isExempt = isExempt;
  }

  get size(): number {
    return this.#sockets.size;
  }

  /** Counts the socket until it closes, or destroys it. */
  admit(socket: Socket): void {
    const address = plainAddress(socket.remoteAddress ?? 'unknown');
    const present = this.#byAddress.get(address) ?? 0;
    const isTotalFull = this.#sockets.size >= this.#limits.sockets;
    if (isTotalFull || (present >= this.#limits.socketsPerAddress && !this.#isExempt(address))) {
      this.#observer.limitHit(isTotalFull ? 'http.sockets' : 'http.sockets-per-address', address);
      socket.destroy();
      return;
    }
    const leave = this.#sockets.add(socket);
    this.#byAddress.set(address, present + 1);
    socket.on('close', () => this.#forget(leave, address));
    letGoAtClose(socket);
  }

  /** Resolves when no socket is left. */
  empty(): Promise<void> {
    if (this.#sockets.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  destroyAll(): void {
    for (const socket of this.#sockets.all()) socket.destroy();
  }

  #forget(leave: Stop, address: string): void {
    leave();
    const left = (this.#byAddress.get(address) ?? 1) - 1;
    if (left === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, left);
    if (this.#sockets.size === 0) for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/**
 * A closed socket outlives every collection but a full one, and with it whatever listens to it: a connection that lived for a moment
 * would be copied twice and grow old.
 */
export function letGoAtClose(socket: Socket): void {
  socket.on('close', letGo);
}

function letGo(this: Socket): void {
  this.removeAllListeners().on('error', ignore);
}

/** Nothing can fail any more that anybody waits for. */
function ignore(): void {
  return;
}
