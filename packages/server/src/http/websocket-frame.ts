/** One unmasked, unfragmented RFC 6455 message, made once and sent to any number of sockets. */
export interface EncodedFrame {
  readonly bytes: Buffer;
}

const FINAL_TEXT = 0x81;
const FINAL_BINARY = 0x82;
/** First octets of control frames. */
export const CONTROL = { close: 0x88, ping: 0x89, pong: 0x8a } as const;
const NOTHING = new Uint8Array();

/** RFC 6455 5.2: how many bytes stand before a payload of this length. */
function headerLength(payload: number): number {
  return payload < 126 ? 2 : payload < 65_536 ? 4 : 10;
}

/** @returns where the payload begins */
function writeHeader(target: Buffer, at: number, first: number, payload: number): number {
  target[at] = first;
  if (payload < 126) {
    target[at + 1] = payload;
    return at + 2;
  }
  if (payload < 65_536) {
    target[at + 1] = 126;
    target.writeUInt16BE(payload, at + 2);
    return at + 4;
  }
  target[at + 1] = 127;
  target.writeUInt32BE(Math.floor(payload / 2 ** 32), at + 2);
  target.writeUInt32BE(payload % 2 ** 32, at + 6);
  return at + 10;
}

/** Lone surrogates leave as U+FFFD: a text frame must be valid UTF-8. */
export function encodeText(text: string): EncodedFrame {
  return { bytes: joinFrames([text]) };
}

/** The size of the frame that a text becomes. */
export function textBytes(text: string): number {
  const payload = Buffer.byteLength(text);
  return headerLength(payload) + payload;
}

/**
 * Frames that are made already, and texts that become frames, as one piece; a single frame is not copied.
 * @param bytes what they are together
 */
export function joinFrames(frames: readonly (string | Buffer)[], bytes = sizeOf(frames)): Buffer {
  const [first] = frames;
  if (frames.length === 1 && typeof first === 'object') return first;
  const joined = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const frame of frames) {
    if (typeof frame === 'string') at = writeText(joined, at, frame);
    else {
      joined.set(frame, at);
      at += frame.length;
    }
  }
  return joined;
}

function sizeOf(frames: readonly (string | Buffer)[]): number {
  return frames.reduce((sum, frame) => sum + (typeof frame === 'string' ? textBytes(frame) : frame.length), 0);
}

function writeText(target: Buffer, at: number, text: string): number {
  const payload = Buffer.byteLength(text);
  const start = writeHeader(target, at, FINAL_TEXT, payload);
  target.write(text, start, payload, 'utf8');
  return start + payload;
}

export function encodeControl(first: number, payload: Uint8Array = NOTHING): EncodedFrame {
  return encodeBytes(payload, first);
}

/** RFC 6455 5.5.1. 1005 stands for no code; the reason is cut. */
export function encodeClose(code: number, reason: string): EncodedFrame {
  if (code === 1005) return encodeControl(CONTROL.close);
  const text = cutReason(reason);
  const payload = Buffer.allocUnsafe(2 + Buffer.byteLength(text));
  payload.writeUInt16BE(code, 0);
  payload.write(text, 2);
  return encodeControl(CONTROL.close, payload);
}

/**
 * RFC 6455 5.5: a control frame carries 125 bytes, two of them the code.
 * @peer the reason is cut at a character
 * @test http/websocket: a reason is cut at a character
 */
const MAX_REASON_BYTES = 123;

/** Cuts at a character's border. */
export function cutReason(reason: string): string {
  const bytes = Buffer.from(reason);
  if (bytes.length <= MAX_REASON_BYTES) return reason;
  let end = MAX_REASON_BYTES;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}

export function encodeBinary(data: Uint8Array): EncodedFrame {
  return encodeBytes(data, FINAL_BINARY);
}

/** A text frame of bytes that are already UTF-8. The caller vouches for that. */
export function encodeUtf8(data: Uint8Array): EncodedFrame {
  return encodeBytes(data, FINAL_TEXT);
}

function encodeBytes(data: Uint8Array, first: number): EncodedFrame {
  const bytes = Buffer.allocUnsafe(headerLength(data.length) + data.length);
  bytes.set(data, writeHeader(bytes, 0, first, data.length));
  return { bytes };
}
