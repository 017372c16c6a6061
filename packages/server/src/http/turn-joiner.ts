import type { Duplex } from 'node:stream';

/**
 * Joins everything that one socket gets in one turn of the event loop into a single write: the socket is corked when
 * it is first written to and uncorked at the end of the turn, not later. One immediate serves all sockets of a turn.
 */
export class TurnJoiner {
  #open: Duplex[] = [];
  readonly #corked = new WeakSet<Duplex>();
  readonly #flushTurn = (): void => this.flush();

  /** Call before each write. Costs a set look-up after the first call of a turn. */
  join(socket: Duplex): void {
    if (this.#corked.has(socket)) return;
    this.#corked.add(socket);
    socket.cork();
    if (this.#open.push(socket) === 1) setImmediate(this.#flushTurn);
  }

  /** Writes out what waits; also called at the end of every turn that wrote. */
  flush(): void {
    const sockets = this.#open;
    if (sockets.length === 0) return;
    this.#open = [];
    for (const socket of sockets) {
      this.#corked.delete(socket);
      socket.uncork();
    }
  }
}
