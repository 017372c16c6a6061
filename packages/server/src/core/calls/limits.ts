/**
 * How long an announcement counts as ringing: nobody tells when such a call ends (design §2).
 * @peer the call ends as unknown
 * @test calls/calls: an announcement ends as unknown
 */
export const ANNOUNCEMENT_MS = 60_000;
/**
 * A call of which nothing is heard for so long is over, whatever the engine has failed to say.
 * @peer the call ends as lost
 * @test calls/limits: a call of which nothing is heard
 */
export const SILENT_CALL_MS = 24 * 3_600_000;
/**
 * More calls on one number are a fault or an attack.
 * @peer the oldest announcement, else the oldest call, makes room
 * @test calls/calls: a number full of calls
 */
export const MAX_LIVE_PER_NUMBER = 64;
/**
 * All live calls of this node: some 20 MB at most.
 * @peer the new one is dropped and counted
 * @test calls/limits: live calls of a node
 */
export const MAX_LIVE = 20_000;
/**
 * Sessions on one number: a call is told to each at once.
 * @peer 429 `too-many-listeners`
 * @test calls/calls: listeners of one number
 */
export const MAX_LISTENERS_PER_NUMBER = 2_000;
/**
 * Numbers listened to on one engine: a reconnect repeats them all.
 * @peer 503 `too-many-numbers`
 * @test calls/limits: numbers of one engine
 */
export const MAX_NUMBERS_PER_ENGINE = 20_000;
/**
 * Engine events that wait for a name from the directory.
 * @peer dropped and counted
 * @test calls/limits: events that wait for names
 */
export const MAX_PENDING_EVENTS = 10_000;
/** A name that takes longer is not waited for: a screen must pop while the phone rings. */
export const LOOKUP_MS = 1_000;
/** A number that nobody listens to is listened to for so long after it dialled: engines need it, and the call is then seen. */
export const DIAL_LISTEN_MS = 60_000;
/** Call ids given out to a dial whose call never shows. */
export const RESERVED_ID_MS = 60_000;
/**
 * An idempotency key is made by a program.
 * @peer 400 `invalid-idempotency-key`
 * @test calls/limits: ids and keys
 */
export const MAX_IDEMPOTENCY_KEY_CHARS = 200;
/**
 * Dials of one number: a person may hurry, a loop may not.
 * @peer 429 `too-many-requests`
 * @test calls/calls: a loop of dials
 */
export const DIAL_RATE = { burst: 60, refillMs: 1_000 } as const;
/**
 * One page of history.
 * @peer a shorter page
 * @test calls/limits: a page of history
 */
export const MAX_HISTORY = 200;
/**
 * Records that wait for the store to come back.
 * @peer dropped and counted
 * @test calls/limits: records that wait
 */
export const MAX_UNRECORDED = 1_000;
export const RECORD_RETRIES = 6;
/** A repeat waits so long for what another node does under the same key; then that counts as unknown. Longer than a node asks another. */
export const UNDER_WAY_MS = 15_000;
/** How often it looks. */
export const LOOK_AGAIN_MS = 200;
/** Each node says so often how far its calls have been told: lost news is noticed. */
export const CALLS_BEAT_MS = 5_000;
/** Calls of one answer between nodes: the longest names and numbers of so many fit into it. */
export const CALLS_PER_PAGE = 100;
/** A node that does not say in time which calls it has is asked again later. */
export const SNAPSHOT_MS = 5_000;
/**
 * News of another node that waits for its snapshot.
 * @peer another snapshot is asked for
 * @test calls/sharing: news that waits
 */
export const MAX_EARLY_NEWS = 10_000;
/** Live calls written at once. */
export const ROWS_AT_ONCE = 500;
/** Rows that could not be written are tried again after so long. */
export const ROW_RETRY_MS = 1_000;
