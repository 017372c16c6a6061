import type { Headers } from './headers.ts';
import type { Uri } from './uri.ts';

/** RFC 3261 7.1. `method` is as on the wire: methods are case-sensitive. */
export interface SipRequest {
  readonly kind: 'request';
  readonly method: string;
  readonly uri: Uri;
  readonly version: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** RFC 3261 7.2. */
export interface SipResponse {
  readonly kind: 'response';
  readonly version: string;
  readonly status: number;
  readonly reason: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

export type SipMessage = SipRequest | SipResponse;

/** Why bytes were not accepted as a message; stable codes. */
export type FailureCode =
  | 'empty'
  | 'start-line'
  | 'version'
  | 'request-uri'
  | 'header-syntax'
  | 'header-value'
  | 'missing-header'
  | 'repeated-header'
  | 'method-mismatch'
  | 'content-length'
  | 'too-large';

/**
 * A message that can't be accepted. `status` is the response that is due; undefined: drop it silently (responses, ACK, and what
 * can't be answered). `method` and `headers` hold what could be read, for that answer.
 */
export interface ParseFailure {
  readonly kind: 'failure';
  readonly code: FailureCode;
  readonly status: number | undefined;
  readonly reason: string;
  readonly method: string | undefined;
  readonly headers: Headers;
}

export const NO_BODY: Uint8Array = new Uint8Array(0);
