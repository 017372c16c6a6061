/** Bounds of the Chat API. What a peer can grow has its bound here; each has a test that hits it. */

/**
 * A password as a body; longer ones are no passwords, and each costs a hash.
 * @peer 413
 * @test chat-api-limits: too much in one request
 */
export const MAX_PASSWORD_BYTES = 1_024;
/**
 * Bodies of everything but messages: a contact with its groups, a command on a call.
 * @peer 413
 * @test chat-api-limits: too much in one request
 */
export const MAX_SMALL_BODY_BYTES = 8 * 1_024;
/**
 * A message of 30,000 bytes and 16 KiB of data, both escaped to the last character, fit.
 * @peer 413
 * @test chat-api-limits: too much in one request
 */
export const MAX_MESSAGE_BODY_BYTES = 256 * 1_024;
/**
 * Nesting of `data`: it is written out again for every receiver.
 * @peer 400
 * @test chat-api-limits: too much in one request
 */
export const MAX_DATA_DEPTH = 32;
/**
 * An idempotency key is made by a program.
 * @peer 400
 * @test chat-api-limits: too much in one request
 */
export const MAX_IDEMPOTENCY_KEY_CHARS = 200;
/**
 * Text of a path or query parameter.
 * @peer 400
 * @test chat-api-limits: too much in one request
 */
export const MAX_PARAMETER_CHARS = 512;
/**
 * A page of users.
 * @peer a shorter page
 * @test chat-api/limits: a page of
 */
export const MAX_USERS = 500;
/**
 * Contacts of one user: all are read at once, and each costs a watch for every open event stream.
 * @peer 409 `too-many-contacts`
 * @test chat-api/limits: contacts of one user
 */
export const MAX_CONTACTS = 1_000;
/**
 * Groups of one contact.
 * @peer 400
 * @test chat-api-limits: too much in one request
 */
export const MAX_CONTACT_GROUPS = 50;
/**
 * The name of a contact's group, or a nickname.
 * @peer 400
 * @test chat-api-limits: too much in one request
 */
export const MAX_NAME_CHARS = 128;
/**
 * Names of users held for addresses in events.
 * @peer nothing to notice
 * @test kit: an LRU forgets what was used longest ago
 */
export const MAX_NAMES = 50_000;
/**
 * Tickets are remembered as spent until they expire.
 * @peer the oldest may be used twice
 * @test tokens: spent tickets are a bounded memory
 */
export const MAX_SPENT_TICKETS = 10_000;
/**
 * Session tokens whose signature has been checked: with them requests that come one after the other cost no check each.
 * @peer nothing to notice
 * @test kit: an LRU forgets what was used longest ago
 */
export const MAX_KNOWN_TOKENS = 10_000;
/**
 * Frames of one event stream that wait for a name from the directory.
 * @peer waits in the journal
 * @test outbox: texts that are being made
 */
export const MAX_WAITING_FRAMES = 64;
/**
 * Calls whose news waits for a slow reader, newest state each.
 * @peer the stream ends; it comes back for a snapshot
 * @test chat-api-limits: calls that wait for a slow reader
 */
export const MAX_WAITING_CALLS = 200;

/** What tests and operators may set. */
export interface ChatApiLimits {
  /** A comment is sent when nothing else was for so long (OF §4.2: at most 10 s). */
  readonly keepAliveMs: number;
  /** What browsers wait before they come back (OF §4.2). */
  readonly retryMs: number;
  /** Bytes waiting in one response above which nothing durable is told any more: it is read from the journal later. */
  readonly pauseAtBytes: number;
  /** A reader that takes nothing for so long is cut off; it comes back with its position. */
  readonly stuckReaderMs: number;
  /** A stream without event stream or request for so long counts as offline (design §5). */
  readonly offlineAfterMs: number;
  /** A stream without event stream or request for so long ends (design §5). */
  readonly endAfterMs: number;
  /** How often the use of streams is written down, and those looked for that are due to end. */
  readonly noteUseMs: number;
  /** How often positions that have been told are written down. */
  readonly saveCursorsMs: number;
  /** How long a ticket is good (OF §4.1). */
  readonly ticketMs: number;
}

export const DEFAULT_CHAT_API_LIMITS: ChatApiLimits = {
  keepAliveMs: 10_000,
  retryMs: 3_000,
  /** @peer events later, from the journal @test chat-api-limits: a reader that stops reading */
  pauseAtBytes: 64 * 1_024,
  /** @peer the stream ends; it comes back with its position @test chat-api-limits: a reader that takes nothing */
  stuckReaderMs: 60_000,
  /** @peer offline @test streams: design §5: 60 s */
  offlineAfterMs: 60_000,
  /** @peer 404; a login makes a new one @test streams: design §5: 24 h */
  endAfterMs: 24 * 3_600_000,
  noteUseMs: 600_000,
  saveCursorsMs: 2_000,
  /** @peer 401 @test tokens: a ticket is good once */
  ticketMs: 60_000,
};
