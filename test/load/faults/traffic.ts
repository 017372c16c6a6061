import { setTimeout as sleep } from 'node:timers/promises';
import type { Ledger } from './ledger.ts';
import { connect, type Door, listen, type Listening, type Sending, type Surface } from './surfaces.ts';

/** The nodes as clients find them. */
export interface Doors {
  /** The nodes that take connections now, the preferred one first. */
  doorsFor(preferred: number): readonly Door[];
}

const PAUSE_MS = 100;
const POLL_MS = 10;

/** A user who writes on one surface. What was not acknowledged is sent again under its key, through whatever node lives. */
export class Talker {
  readonly user: string;
  readonly #surface: Surface;
  readonly #doors: Doors;
  readonly #preferred: number;
  #connection: Promise<Sending> | null = null;
  #tries = 0;
  /** Attempts that failed and were made again. */
  retries = 0;

  constructor(parts: { user: string; surface: Surface; doors: Doors; preferred: number }) {
    this.user = parts.user;
    this.#surface = parts.surface;
    this.#doors = parts.doors;
    this.#preferred = parts.preferred;
  }

  async say(to: string, text: string, ledger: Ledger): Promise<void> {
    ledger.sent(text, to);
    for (;;) {
      const connecting = (this.#connection ??= this.#connect());
      try {
        ledger.acknowledged(text, await (await connecting).send(to, text));
        return;
      } catch {
        // Whatever it was, the message goes again until it is acknowledged: that is what is tested here.
        this.retries++;
        if (this.#connection === connecting) this.#connection = null;
        connecting.then(
          (connection) => connection.close(),
          () => undefined,
        );
        await sleep(PAUSE_MS);
      }
    }
  }

  #connect(): Promise<Sending> {
    const doors = this.#doors.doorsFor(this.#preferred);
    const door = doors[this.#tries++ % Math.max(1, doors.length)];
    if (door === undefined) return Promise.reject(new Error('no node lives'));
    return connect(this.#surface, door, this.user);
  }

  async close(): Promise<void> {
    (await this.#connection?.catch(() => null))?.close();
  }
}

/** A client that hears, and goes on at its place after each loss: on the next surface of its list, on whatever node lives. */
export class Hearer {
  readonly name: string;
  readonly #tell: ReturnType<Ledger['client']>;
  readonly #user: string;
  readonly #surfaces: readonly Surface[];
  readonly #doors: Doors;
  readonly #preferred: number;
  readonly #running: Promise<void>;
  #isOpen = true;
  #place = '';
  /** Times that it had to connect anew, and that the server could not prove continuity. */
  returns = -1;
  resets = 0;
  #attempts = 0;

  constructor(parts: { ledger: Ledger; user: string; surfaces: readonly Surface[]; doors: Doors; preferred: number }) {
    this.name = `${parts.user} on ${parts.surfaces.join(', ')}`;
    this.#tell = parts.ledger.client(this.name, parts.user);
    this.#user = parts.user;
    this.#surfaces = parts.surfaces;
    this.#doors = parts.doors;
    this.#preferred = parts.preferred;
    this.#running = this.#run();
  }

  get isConnected(): boolean {
    return this.returns >= 0;
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#isOpen) {
      const connection = await this.#connect();
      if (connection === null) await sleep(PAUSE_MS);
      else await this.#hear(connection);
    }
  }

  async #connect(): Promise<Listening | null> {
    const doors = this.#doors.doorsFor(this.#preferred);
    const door = doors[this.#attempts++ % Math.max(1, doors.length)];
    const surface = this.#surfaces[(this.returns + 1) % this.#surfaces.length];
    if (door === undefined || surface === undefined) return null;
    // A node that is dying refuses or hangs up: the next attempt finds another.
    return listen(surface, door, this.#user, this.#place).catch(() => null);
  }

  async #hear(connection: Listening): Promise<void> {
    this.returns++;
    this.#attempts = 0;
    while (this.#isOpen) {
      for (const seen of connection.drain()) this.#tell(seen);
      this.#place = connection.place;
      if (connection.isReset) this.resets++;
      if (connection.isLost || connection.isReset) break;
      await sleep(POLL_MS);
    }
    connection.close();
  }
}
