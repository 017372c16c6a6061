import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { MAX_PIPELINED } from './limits.ts';

/** Counts the requests of each connection that have not been answered. Node reads on as long as no answer waits in the socket. */
export class Pipeline {
  readonly #open = new WeakMap<Socket, number>();

  /** False: too many; else until the response is over. */
  enter(socket: Socket, response: ServerResponse): boolean {
    const before = this.#open.get(socket) ?? 0;
    if (before >= MAX_PIPELINED) return false;
    this.#open.set(socket, before + 1);
    response.on('close', () => this.#open.set(socket, (this.#open.get(socket) ?? 1) - 1));
    return true;
  }
}
