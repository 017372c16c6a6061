import type { Clock } from '../../kit/index.ts';
import { LOOKUP_MS } from './limits.ts';
import { canonicalNumber } from './number.ts';
import type { CallDirectory, NumberOwner } from './ports.ts';

export interface NamesParts {
  readonly directory: Pick<CallDirectory, 'ownerOf'>;
  readonly clock: Clock;
  readonly log: { warn(message: string, fields?: Readonly<Record<string, unknown>>): void };
}

/** Looks up whose a number is, for showing: never fails, never waits long, and asks once for many who ask at a time. */
export class Names {
  readonly #parts: NamesParts;
  readonly #underway = new Map<string, Promise<NumberOwner | null>>();

  constructor(parts: NamesParts) {
    this.#parts = parts;
  }

  of(text: string): Promise<NumberOwner | null> {
    const number = canonicalNumber(text);
    if (number === undefined) return Promise.resolve(null);
    const known = this.#underway.get(number);
    if (known !== undefined) return known;
    const asked = this.#ask(number).finally(() => this.#underway.delete(number));
    this.#underway.set(number, asked);
    return asked;
  }

  async #ask(number: string): Promise<NumberOwner | null> {
    const { promise, resolve } = Promise.withResolvers<null>();
    const timer = this.#parts.clock.after(LOOKUP_MS, () => resolve(null));
    try {
      return await Promise.race([this.#parts.directory.ownerOf(number), promise]);
    } catch (error) {
      // The call is shown without a name; that the directory fails is its own alarm.
      this.#parts.log.warn('a call is shown without a name', {
        reason: error instanceof Error ? error.message : 'unknown',
      });
      return null;
    } finally {
      timer.cancel();
    }
  }
}
