import { SyntaxFailure } from '../messages/index.ts';
import type { SipResponse } from '../messages/index.ts';

/** Every way in which asking the library for something can fail by itself; stable codes. */
export type SipErrorCode =
  /** The library holds as many transactions as it may. Retry later. */
  | 'too-many-transactions'
  /** The library holds as many dialogs as it may. Retry later. */
  | 'too-many-dialogs'
  /** Nobody answered in time (64*T1). */
  | 'timeout'
  /** No way to the target: nothing listens, or the connection broke. */
  | 'unreachable'
  /** The dialog, call or agent is over. */
  | 'closed'
  /** Not allowed now: a second offer while one is open, an answer without an offer, a response after the final one. */
  | 'wrong-state'
  /** The message of a peer, or what the caller wants to write, breaks the grammar. */
  | 'bad-message'
  /** The peer demands credentials that we don't have, or refuses those that we gave. */
  | 'unauthorized'
  /** The peer answered, and its answer is no. See `Refusal`. */
  | 'refused';

/** An operation of the library failed. `code` is for programs, the message for people. */
export class SipError extends Error {
  override readonly name = 'SipError';
  readonly code: SipErrorCode;

  constructor(code: SipErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }

  /** Whether the peer could not be asked, or said nothing: to a dialog that is a 408 (RFC 3261 12.2.1.2). */
  get isNoAnswer(): boolean {
    return this.code === 'timeout' || this.code === 'unreachable';
  }

  /** Whether the same call may succeed later. */
  get isRetryable(): boolean {
    return this.code === 'too-many-transactions' || this.code === 'too-many-dialogs' || this.code === 'timeout';
  }
}

/** The peer's final answer was no. */
export class Refusal extends SipError {
  readonly status: number;
  readonly response: SipResponse;

  constructor(response: SipResponse) {
    super(response.status === 401 || response.status === 407 ? 'unauthorized' : 'refused', textOf(response));
    this.status = response.status;
    this.response = response;
  }
}

const STATUS: Readonly<Record<SipErrorCode, number>> = {
  'too-many-transactions': 503,
  'too-many-dialogs': 503,
  timeout: 408,
  unreachable: 480,
  closed: 480,
  'wrong-state': 491,
  'bad-message': 502,
  unauthorized: 403,
  refused: 480,
};

/** The status by which a failure is passed on to whoever asked us; 480 where nothing is known. Throws what is neither of ours. */
export function statusOf(error: unknown): number {
  if (error === undefined) return 480;
  if (error instanceof Refusal) return error.code === 'unauthorized' ? 403 : error.status;
  if (error instanceof SipError) return STATUS[error.code];
  if (error instanceof SyntaxFailure) return 400;
  throw error instanceof Error ? error : new TypeError('not an error');
}

const textOf = (response: SipResponse): string =>
  `${response.headers.cseq?.method ?? 'the request'} was answered by ${response.status} ${response.reason}`;
