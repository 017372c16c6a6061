import type { EndpointId } from './model.ts';
import type { LegText } from './ports.ts';
import type { Tally } from './tally.ts';

/**
 * Texts of one call held until it is answered.
 * @peer the call is released with cause 111
 * @test exchange/exchange: texts before the answer
 */
export const MAX_HELD_TEXTS = 200;
/**
 * Characters of all texts of one endpoint that are held so: two of the longest (PBX §3.2: 1 MiB).
 * @peer the call is released with cause 111
 * @test exchange/exchange: texts before the answer
 */
export const MAX_HELD_CHARACTERS = 2 * 1024 * 1024;

/** PBX §3.1: texts may come before it is clear who has the call; they wait, bounded by call and by endpoint. */
export class EarlyTexts {
  readonly #endpoint: EndpointId;
  readonly #held: Tally<EndpointId>;
  #texts: LegText[] = [];
  #characters = 0;

  /** `held`: characters that each endpoint of this node makes wait. */
  constructor(endpoint: EndpointId, held: Tally<EndpointId>) {
    this.#endpoint = endpoint;
    this.#held = held;
  }

  /** False: too much waits already. */
  push(text: LegText): boolean {
    const characters = text.attach.reduce((sum, url) => sum + url.length, text.body.length);
    const isFull = this.#texts.length >= MAX_HELD_TEXTS;
    if (isFull || this.#held.of(this.#endpoint) + characters > MAX_HELD_CHARACTERS) return false;
    this.#characters += characters;
    this.#held.add(this.#endpoint, characters);
    this.#texts.push(text);
    return true;
  }

  /** All of them, in order; none is left. */
  take(): readonly LegText[] {
    const texts = this.#texts;
    this.#held.add(this.#endpoint, -this.#characters);
    this.#texts = [];
    this.#characters = 0;
    return texts;
  }
}
