/** Goes out in CONNECTED (TM ST-11). */
export const SERVER_NAME = 'tapi-messenger/1.0.0';
/**
 * Octets that wait while a frame is handled, before the peer is not read any more: one frame of the usual largest size.
 * @peer its sending stalls
 * @test bad-input: what comes meanwhile waits
 */
export const PAUSE_INPUT_AT_BYTES = 65_536;
/**
 * Octets that may wait in all, besides one whole message of the carrier: sends that were under way when reading stopped.
 * @peer ERROR `Too much at once`
 * @test bad-input: what comes meanwhile waits
 */
export const MAX_INPUT_MARGIN_BYTES = 1_048_576;
/**
 * Frames of one session handled before others get their turn (TM FM-18).
 * @peer nothing to notice
 * @test bad-input: very many tiny messages
 */
export const MAX_FRAMES_PER_TURN = 256;
/**
 * Messages of one session on their way to the store side by side: more than its window of commits can use.
 * @peer the next one waits
 * @test in-flight: there is room for so many
 */
export const MAX_IN_FLIGHT = 64;
/**
 * Receipts of one session that wait for messages before them, whatever frames they are for: a store that takes its time must not
 * make them grow.
 * @peer the next frame waits
 * @test in-flight: receipts that wait
 */
export const MAX_WAITING_RECEIPTS = 256;
