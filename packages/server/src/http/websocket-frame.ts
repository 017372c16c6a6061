/** One unmasked, unfragmented RFC 6455 message, made once and sent to any number of sockets. */
export interface EncodedFrame {
  readonly bytes: Buffer;
}

const FINAL_TEXT = 0x81;
const FINAL_BINARY = 0x82;

/** RFC 6455 5.2: how many bytes stand before a payload of this length. */
function headerLength(payload: number): number {
  return payload < 126 ? 2 : payload < 65_536 ? 4 : 10;
}

function writeHeader(target: Buffer, first: number, payload: number): number {
  target[0] = first;
  if (payload < 126) {
    target[1] = payload;
    return 2;
  }
  if (payload < 65_536) {
    target[1] = 126;
    target.writeUInt16BE(payload, 2);
    return 4;
  }
  target[1] = 127;
  target.writeUInt32BE(Math.floor(payload / 2 ** 32), 2);
  target.writeUInt32BE(payload % 2 ** 32, 6);
  return 10;
}

/** Lone surrogates leave as U+FFFD: a text frame must be valid UTF-8. */
export function encodeText(text: string): EncodedFrame {
  const payload = Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(headerLength(payload) + payload);
  bytes.write(text, writeHeader(bytes, FINAL_TEXT, payload), payload, 'utf8');
  return { bytes };
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
  bytes.set(data, writeHeader(bytes, first, data.length));
  return { bytes };
}
