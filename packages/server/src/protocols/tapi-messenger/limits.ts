/** Goes out in CONNECTED (TM ST-11). */
export const SERVER_NAME = 'tapi-messenger/1.0.0';
/** Octets that wait while a frame is handled, before the peer is not read any more: one frame of the usual largest size. */
export const PAUSE_INPUT_AT_BYTES = 65_536;
/** Octets that may wait in all, besides one whole message of the carrier: sends that were under way when reading stopped. */
export const MAX_INPUT_MARGIN_BYTES = 1_048_576;
/** Frames of one session handled before others get their turn (TM FM-18). */
export const MAX_FRAMES_PER_TURN = 256;
/** Messages of one session on their way to the store side by side: more than its window of commits can use. */
export const MAX_IN_FLIGHT = 64;
