import { randomBytes } from 'node:crypto';
import { TransportFailure } from './port.ts';
import type { Endpoint } from './port.ts';
import { readBindingAnswer, writeBindingRequest } from './stun.ts';

/**
 * Unanswered STUN keep-alives at one time: one for each UDP registration of ours.
 * @peer no probe
 * @test transport/keep-alive: unanswered probes
 */
export const MAX_PROBES = 10_000;

type Answered = (mapped: Endpoint | undefined) => void;

/** STUN binding requests of ours that wait for their answers. */
export class Bindings {
  readonly #open = new Map<string, Answered>();

  /** The bytes of a new request, whose answer goes to `answered`; `forget` ends the wait. */
  ask(answered: Answered): { readonly bytes: Uint8Array; forget(): void } {
    if (this.#open.size >= MAX_PROBES) throw new TransportFailure('send-failed', 'too many keep-alives');
    const transaction = randomBytes(12);
    const key = transaction.toString('hex');
    this.#open.set(key, answered);
    return { bytes: writeBindingRequest(transaction), forget: () => void this.#open.delete(key) };
  }

  take(bytes: Buffer): void {
    const binding = readBindingAnswer(bytes);
    if (binding !== undefined) this.#open.get(binding.transaction)?.(binding.mapped);
  }
}
