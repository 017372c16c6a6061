/**
 * An expected failure: a stable code of some catalogue, and a sentence for humans. Protocols translate codes, never texts.
 * `retry` tells whether the same attempt can succeed later without anything being changed.
 */
export class Problem extends Error {
  readonly code: string;
  readonly retry: boolean;
  /** What the problem is about: a name, a number, an id. Safe to show to the asker. */
  readonly subject: string | undefined;
  /** Milliseconds after which a retry makes sense, where that is known. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: string,
    message: string,
    details: {
      readonly retry?: boolean;
      readonly subject?: string;
      readonly retryAfterMs?: number;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'Problem';
    this.code = code;
    this.retry = details.retry ?? false;
    this.subject = details.subject;
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** The problem that `error` is, or throws it on: what is no Problem is a defect and must travel. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  throw error;
}

/** Whether a code says that a bound was hit: `too-large`, `too-many-…`, and `busy` of a queue that is full. */
export function isLimit(code: string): boolean {
  return /(^|-)too-/.test(code) || code === 'busy';
}

/** Text of any thrown value, for logs. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** For the `default` of an exhaustive switch. */
export function unreachable(value: never): never {
  throw new Error(`unexpected value: ${JSON.stringify(value)}`);
}
