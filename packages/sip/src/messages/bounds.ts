/** Start line and headers together. Real heads stay under 4 KB; signed identities reach 8. */
export const MAX_HEAD_BYTES = 32 * 1024;
/** Lines of headers. Real messages have under 60. */
export const MAX_HEADER_LINES = 256;
/** A body on a connection. SDP stays under 8 KB, pictures and presence lists are the exception. */
export const MAX_BODY_BYTES = 256 * 1024;
/** A method's name: the longest registered has nine characters. */
export const MAX_METHOD_LENGTH = 64;
