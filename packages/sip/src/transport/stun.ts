import type { Endpoint } from './port.ts';

/** RFC 5389 6. */
const MAGIC = 0x2112a442;
const BINDING_REQUEST = 0x0001;
const BINDING_SUCCESS = 0x0101;
const XOR_MAPPED_ADDRESS = 0x0020;

/** Whether a datagram on a SIP port is STUN (RFC 5626 3.5.2, RFC 5389 8): SIP never starts with two zero bits. */
export function isStun(bytes: Buffer): boolean {
  return bytes.length >= 20 && (bytes[0] ?? 0xff) < 0x40 && bytes.readUInt32BE(4) === MAGIC;
}

/** `transaction` has 12 bytes. */
export function writeBindingRequest(transaction: Uint8Array): Buffer {
  const out = Buffer.alloc(20);
  out.writeUInt16BE(BINDING_REQUEST, 0);
  out.writeUInt32BE(MAGIC, 4);
  out.set(transaction, 8);
  return out;
}

/** The answer to a binding request, or undefined where the datagram is none. Attributes of the request are not read. */
export function answerBinding(request: Buffer, from: Endpoint): Buffer | undefined {
  if (request.readUInt16BE(0) !== BINDING_REQUEST || request.readUInt16BE(2) + 20 !== request.length) return undefined;
  const address = addressBytes(from.address);
  const out = Buffer.alloc(28 + address.length);
  out.writeUInt16BE(BINDING_SUCCESS, 0);
  out.writeUInt16BE(8 + address.length, 2);
  request.copy(out, 4, 4, 20);
  out.writeUInt16BE(XOR_MAPPED_ADDRESS, 20);
  out.writeUInt16BE(4 + address.length, 22);
  out[25] = address.length === 4 ? 1 : 2;
  out.writeUInt16BE(from.port ^ (MAGIC >>> 16), 26);
  for (let i = 0; i < address.length; i++) out[28 + i] = (address[i] ?? 0) ^ (out[4 + i] ?? 0);
  return out;
}

export interface BindingAnswer {
  readonly transaction: string;
  readonly mapped: Endpoint | undefined;
}

/** Reads a success answer; undefined for anything else. */
export function readBindingAnswer(bytes: Buffer): BindingAnswer | undefined {
  if (bytes.readUInt16BE(0) !== BINDING_SUCCESS) return undefined;
  const transaction = bytes.toString('hex', 8, 20);
  let at = 20;
  while (at + 4 <= bytes.length) {
    const length = bytes.readUInt16BE(at + 2);
    if (
      bytes.readUInt16BE(at) === XOR_MAPPED_ADDRESS &&
      at + 4 + length <= bytes.length &&
      (length === 8 || length === 20)
    )
      return { transaction, mapped: readMapped(bytes, at + 4, length) };
    at += 4 + length + ((4 - (length % 4)) % 4);
  }
  return { transaction, mapped: undefined };
}

function readMapped(bytes: Buffer, at: number, length: number): Endpoint {
  const port = bytes.readUInt16BE(at + 2) ^ (MAGIC >>> 16);
  const octets = Array.from({ length: length - 4 }, (_, i) => (bytes[at + 4 + i] ?? 0) ^ (bytes[4 + i] ?? 0));
  if (octets.length === 4) return { address: octets.join('.'), port };
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((octets[2 * i] ?? 0) << 8) | (octets[2 * i + 1] ?? 0)).toString(16),
  );
  return { address: groups.join(':'), port };
}

function addressBytes(address: string): Buffer {
  if (!address.includes(':')) return Buffer.from(address.split('.').map(Number));
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const text =
    dotted === null
      ? address
      : `${dotted[1] ?? ''}${((Number(dotted[2]) << 8) | Number(dotted[3])).toString(16)}:${((Number(dotted[4]) << 8) | Number(dotted[5])).toString(16)}`;
  const [head = '', tail] = text.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  const out = Buffer.alloc(16);
  [...left, ...Array.from({ length: Math.max(0, zeros) }, () => '0'), ...right].forEach((group, i) => {
    if (i < 8) out.writeUInt16BE(parseInt(group, 16) & 0xffff, 2 * i);
  });
  return out;
}
