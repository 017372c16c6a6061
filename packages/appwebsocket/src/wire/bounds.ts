/** Everything a peer can make grow has a bound; each names its reason. Sizes of texts are in UTF-8 bytes unless said otherwise. */

/** AW §1: at least 64 KiB before login; a stranger gets no more. */
export const MAX_MESSAGE_BEFORE_LOGIN_BYTES = 64 * 1024;
/** AW §1: at least 1 MiB after login. Protocol libraries buffer one message whole, so this bounds memory a connection. */
export const MAX_MESSAGE_BYTES = 1024 * 1024;
/** All bytes a stranger may send before his login stands: three full messages and some. */
export const MAX_BYTES_BEFORE_LOGIN = 256 * 1024;
/** AW §8.4: 30 s without READY closes with 1008. */
export const LOGIN_TIMEOUT_MS = 30_000;
/** A challenge older than this is worth nothing, also in a re-login on a connection that stands. */
export const CHALLENGE_LIFETIME_MS = 30_000;
/** AW §3.6: the acceptor closes 1 s after a refused login if the peer has not. */
export const REFUSED_LINGER_MS = 1_000;
/** AW §5.4: the initiator sends KeepAlive after 30 s in which nothing was heard. */
export const KEEP_ALIVE_MS = 30_000;
/** AW §5.4: without any frame for so long the initiator gives the peer up. */
export const PEER_DEAD_MS = 90_000;
/** `info` of a login is flat in practice; a deep one costs recursion. */
export const MAX_INFO_DEPTH = 32;
/** Open `AppCheckLogin` look-ups of one connection: a manager page sends one at a time. */
export const MAX_PENDING_CHECKS = 8;
/** Text kept for a connection that does not stand yet. */
export const MAX_QUEUED_BEFORE_OPEN_BYTES = 64 * 1024;
/** Text kept while delivery is paused where reading cannot be held back (browsers). */
export const MAX_PAUSED_BYTES = 1024 * 1024;
/** Bytes waiting in a socket whose peer does not read: from here on `send` throws, and a peer that asks is closed. */
export const MAX_SEND_BUFFER_BYTES = 8 * 1024 * 1024;
/** `drained()` waits until no more than this is waiting in the socket. */
export const DRAINED_BYTES = 256 * 1024;
/** Requests of one connection that wait for their answers. */
export const MAX_PENDING_REQUESTS = 10_000;
/** Characters of indications that wait for a slow reader of one subscription. */
export const MAX_QUEUED_INDICATION_CHARACTERS = 1024 * 1024;
/** Characters of a list that is collected before its result comes: a large directory, not an endless one. */
export const MAX_LIST_CHARACTERS = 64 * 1024 * 1024;
/** Requests of one peer that handlers are working on; the next one waits in the socket. */
export const MAX_CALLS_IN_WORK = 256;
/** Sockets of one service that have not logged in. */
export const MAX_UNAUTHENTICATED_SOCKETS = 1_000;
/** Addresses with failed logins that are remembered; the oldest go first. */
export const MAX_REMEMBERED_ADDRESSES = 10_000;
/** Web sessions with a challenge; the oldest go first. */
export const MAX_HTTP_CHALLENGES = 10_000;
/** Close reasons are limited to 123 bytes (RFC 6455 5.5). */
export const MAX_CLOSE_REASON_CHARACTERS = 120;
