import type { JsonObject } from '../../wire/envelope.ts';

/** One request of an API: what goes out, what comes back, and what is told later under the same `src`. */
export interface Operation {
  readonly request: object;
  readonly result: object;
  readonly indication: object;
}

/** Short for {@link Operation}: members of the request, of its result, and of the indications. */
export interface Op<Request extends object, Result extends object = object, Indication extends object = JsonObject> {
  readonly request: Request;
  readonly result: Result;
  readonly indication: Indication;
}

export type None = Readonly<Record<string, never>>;

/** Exactly one way to name somebody. */
export type Target = { readonly sip: string } | { readonly num: string };
