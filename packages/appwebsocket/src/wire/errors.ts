/** Every failure this library reports: a stable code, whether trying again makes sense, and a sentence. */
export const ERRORS = {
  'bad-hex': { retry: false, text: 'the text is not hexadecimal' },
  'bad-info': { retry: false, text: 'info must be the JSON text of an object' },
  'bad-url': { retry: false, text: 'the URL is not a ws, wss, http or https URL' },
  'login-failed': { retry: false, text: 'the peer refused the login' },
  'login-timeout': { retry: true, text: 'the peer did not finish the login in time' },
  'connect-failed': { retry: true, text: 'the connection could not be made' },
  'connection-lost': { retry: true, text: 'the connection was closed before the answer came' },
  'not-connected': { retry: true, text: 'the connection is closed' },
  'not-logged-in': { retry: true, text: 'the session key is known after the login only' },
  'queue-full': { retry: true, text: 'more than 64 KiB wait for the connection to open' },
  'too-many-requests': { retry: true, text: 'too many requests are waiting for their answers' },
  'request-timeout': { retry: true, text: 'no answer came in time' },
  'request-refused': { retry: false, text: 'the peer answered with an error' },
  'subscription-overflow': { retry: true, text: 'indications came faster than they were read' },
  'slow-receiver': { retry: true, text: 'more than 1 MiB arrived while delivery was paused' },
  'slow-peer': { retry: true, text: 'the peer reads too slowly' },
  'peer-silent': { retry: true, text: 'nothing was heard from the peer for too long' },
  'protocol-error': { retry: false, text: 'the peer sent something that is not AppWebsocket' },
  'message-too-big': { retry: false, text: 'the message is larger than allowed' },
  aborted: { retry: false, text: 'the operation was cancelled' },
} as const;

export type ErrorCode = keyof typeof ERRORS;

/** The one error class of this library. Decide by `code`, never by the text. */
export class AppWebsocketError extends Error {
  override readonly name = 'AppWebsocketError';
  /** Stable code, a key of {@link ERRORS}. */
  readonly code: ErrorCode;
  /** True when the same call may succeed later. */
  readonly retry: boolean;
  /** What the peer said, where it said something: its `errorText` or `error`. */
  readonly reason: string | undefined;

  constructor(code: ErrorCode, options: { readonly reason?: string | undefined; readonly cause?: unknown } = {}) {
    const detail = options.reason === undefined ? '' : `: ${options.reason}`;
    super(ERRORS[code].text + detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retry = ERRORS[code].retry;
    this.reason = options.reason;
  }
}
