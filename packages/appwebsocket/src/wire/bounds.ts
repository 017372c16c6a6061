/** Everything a peer can make grow has a bound; each names its reason. Sizes of texts are in UTF-8 bytes unless said otherwise. */

/**
 * AW §1: at least 64 KiB before login; a stranger gets no more.
 * @peer closed with 1009
 * @test acceptor-step: 64 KiB before login
 */
export const MAX_MESSAGE_BEFORE_LOGIN_BYTES = 64 * 1024;
/**
 * AW §1: at least 1 MiB after login. Protocol libraries buffer one message whole, so this bounds memory a connection.
 * @peer closed with 1009
 * @test acceptor-step: 64 KiB before login
 */
export const MAX_MESSAGE_BYTES = 1024 * 1024;
/**
 * All bytes a stranger may send before his login stands: three full messages and some.
 * @peer closed with 1008
 * @test service/limits: too many bytes close
 */
export const MAX_BYTES_BEFORE_LOGIN = 256 * 1024;
/**
 * AW §8.4: 30 s without READY closes with 1008.
 * @peer closed with 1008
 * @test service/limits: no login in time
 */
export const LOGIN_TIMEOUT_MS = 30_000;
/**
 * A challenge older than this is worth nothing, also in a re-login on a connection that stands.
 * @peer `ok:false`
 * @test acceptor-step: an expired one is refused
 */
export const CHALLENGE_LIFETIME_MS = 30_000;
/** AW §3.6: the acceptor closes 1 s after a refused login if the peer has not. */
export const REFUSED_LINGER_MS = 1_000;
/** AW §5.4: the initiator sends KeepAlive after 30 s in which nothing was heard. */
export const KEEP_ALIVE_MS = 30_000;
/**
 * AW §5.4: without any frame for so long the initiator gives the peer up.
 * @peer the connection ends
 * @test client/keep-alive: a peer without any frame
 */
export const PEER_DEAD_MS = 90_000;
/**
 * `info` of a login is flat in practice; a deep one costs recursion.
 * @peer `ok:false`
 * @test raw-member: nesting has a bound
 */
export const MAX_INFO_DEPTH = 32;
/**
 * Open `AppCheckLogin` look-ups of one connection: a manager page sends one at a time.
 * @peer an answer without `ok`
 * @test acceptor-step: open checks are bounded
 */
export const MAX_PENDING_CHECKS = 8;
/**
 * Text kept for a connection that does not stand yet.
 * @peer `send` throws
 * @test client/connection: 64 KiB are kept
 */
export const MAX_QUEUED_BEFORE_OPEN_BYTES = 64 * 1024;
/**
 * Text kept while delivery is paused where reading cannot be held back (browsers).
 * @peer closed with 1008
 * @test chromium: flow control: one message at a time
 */
export const MAX_PAUSED_BYTES = 1024 * 1024;
/**
 * Bytes waiting in a socket whose peer does not read.
 * @peer `send` throws; a peer that asks on is closed
 * @test client/connection: send throws while 8 MiB
 */
export const MAX_SEND_BUFFER_BYTES = 8 * 1024 * 1024;
/** `drained()` waits until no more than this is waiting in the socket. */
export const DRAINED_BYTES = 256 * 1024;
/**
 * Requests of one connection that wait for their answers.
 * @peer the request fails: `too-many-requests`
 * @test requester: the number of open requests
 */
export const MAX_PENDING_REQUESTS = 10_000;
/**
 * Characters of indications that wait for a slow reader of one subscription.
 * @peer the subscription ends here and at the peer
 * @test subscription: a reader that is too slow
 */
export const MAX_QUEUED_INDICATION_CHARACTERS = 1024 * 1024;
/**
 * Characters of a list that is collected before its result comes: a large directory, not an endless one.
 * @peer the request fails
 * @test requester: is bounded
 */
export const MAX_LIST_CHARACTERS = 64 * 1024 * 1024;
/**
 * Requests of one peer that handlers are working on.
 * @peer the next one waits in the socket
 * @test apis: no more at work than the bound
 */
export const MAX_CALLS_IN_WORK = 256;
/**
 * Sockets of one service that have not logged in.
 * @peer 503
 * @test service/limits: 1,000 strangers
 */
export const MAX_UNAUTHENTICATED_SOCKETS = 1_000;
/**
 * Addresses with failed logins that are remembered.
 * @peer the oldest are forgotten
 * @test service/limits: are forgiven one by one
 */
export const MAX_REMEMBERED_ADDRESSES = 10_000;
/**
 * Web sessions with a challenge.
 * @peer the oldest ask anew
 * @test web-sessions: web sessions remember no more
 */
export const MAX_HTTP_CHALLENGES = 10_000;
/**
 * Close reasons are limited to 123 bytes (RFC 6455 5.5).
 * @peer nothing: our own sentences fit
 * @test test/errors: the catalogue of errors
 */
export const MAX_CLOSE_REASON_CHARACTERS = 120;
