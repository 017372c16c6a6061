/**
 * Start line and headers together. Real heads stay under 4 KB; signed identities reach 8.
 * @peer 400, or the connection ends
 * @test parser: a head too large
 */
export const MAX_HEAD_BYTES = 32 * 1024;
/**
 * Lines of headers. Real messages have under 60.
 * @peer 400
 * @test parser: as many headers as allowed
 */
export const MAX_HEADER_LINES = 256;
/**
 * A body on a connection. SDP stays under 8 KB, pictures and presence lists are the exception.
 * @peer 513
 * @test parser: a body too large
 */
export const MAX_BODY_BYTES = 256 * 1024;
/**
 * A method's name: the longest registered has nine characters.
 * @peer 400
 * @test parser: a method
 */
export const MAX_METHOD_LENGTH = 64;
