/** Every failure this library reports: a stable code, whether trying again makes sense, and a sentence. */
export const ERRORS = {
  'bad-hex': { retry: false, text: 'the text is not hexadecimal' },
  'bad-info': { retry: false, text: 'info is not the JSON text of an object' },
  'bad-url': { retry: false, text: 'the URL is not one of ws, wss, http, https' },
  'login-failed': { retry: false, text: 'the peer refused the login' },
  'login-timeout': { retry: true, text: 'no login in time' },
  'connect-failed': { retry: true, text: 'no connection could be made' },
  'connection-lost': { retry: true, text: 'the connection was lost' },
  'not-connected': { retry: true, text: 'the connection is closed' },
  'not-logged-in': { retry: true, text: 'there is no session key before the login' },
  'queue-full': { retry: true, text: 'more than 64 KiB wait for the login' },
  'too-many-requests': { retry: true, text: 'too many requests wait for an answer' },
  'request-timeout': { retry: true, text: 'no answer came in time' },
  'request-refused': { retry: false, text: 'the peer refused the request' },
  'subscription-overflow': { retry: true, text: 'indications came faster than they were read' },
  'slow-receiver': { retry: true, text: 'more than 1 MiB waits for messageComplete' },
  'slow-peer': { retry: true, text: 'more than 8 MiB wait for the peer to read' },
  'peer-silent': { retry: true, text: 'the peer is silent' },
  'protocol-error': { retry: false, text: 'the peer does not speak AppWebsocket' },
  'message-too-big': { retry: false, text: 'the message is too big' },
  aborted: { retry: false, text: 'it was cancelled' },
} as const;

/** What went wrong: a key of {@link ERRORS}. */
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
