import type { Duplex } from 'node:stream';

/** Something that gathers what it sends itself. */
export interface TurnEnding {
  turnEnds(): void;
}

/**
 * Joins everything that one socket gets in one turn of the event loop into a single write: the socket is corked when
 * it is first written to and uncorked at the end of the turn, not later. One immediate serves all sockets of a turn.
 */
export class TurnJoiner {
  #sockets: Duplex[] = [];
  #runs: (() => void)[] = [];
  #gatherers: TurnEnding[] = [];
  #isAwaited = false;
  readonly #corked = new WeakSet<Duplex>();
  readonly #endTurn = (): void => this.flush();

  /** Call before each write. Costs a set look-up after the first call of a turn. */
  join(socket: Duplex): void {
    if (this.#corked.has(socket)) return;
    this.#corked.add(socket);
    socket.cork();
    this.#sockets.push(socket);
    this.#awaitEnd();
  }

  /** Calls `turnEnds` at the end of this turn: once for each call of `add`, after all `atTurnEnd`. */
  add(gatherer: TurnEnding): void {
    this.#gatherers.push(gatherer);
    this.#awaitEnd();
  }

  /** Runs at the end of the turn, before the sockets are written: what it sends still leaves with this turn. */
  atTurnEnd(run: () => void): void {
    this.#runs.push(run);
    this.#awaitEnd();
  }

  /** Ends the turn's gathering now. Happens by itself at the end of every turn that gathered something. */
  flush(): void {
    const runs = this.#runs;
    this.#runs = [];
    try {
      for (const run of runs) run();
    } finally {
      const gatherers = this.#gatherers;
      this.#gatherers = [];
      for (const gatherer of gatherers) gatherer.turnEnds();
      const sockets = this.#sockets;
      this.#sockets = [];
      this.#isAwaited = false;
      for (const socket of sockets) {
        this.#corked.delete(socket);
        socket.uncork();
      }
      if (this.#runs.length > 0 || this.#gatherers.length > 0) this.#awaitEnd();
    }
  }

  #awaitEnd(): void {
    if (this.#isAwaited) return;
    this.#isAwaited = true;
    setImmediate(this.#endTurn);
  }
}
