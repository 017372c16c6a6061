/** What breaks parsers: separators, quotes, brackets, escapes, numbers at their edges, bytes that are no UTF-8. */
export const PIECES = [
  '\r\n',
  '\r',
  '\n',
  '\0',
  ' ',
  '\t',
  '"',
  '\\',
  '<',
  '>',
  ';',
  ',',
  ':',
  '=',
  '@',
  '%',
  '%00',
  '[',
  ']',
  '[::1]',
  '?',
  '&',
  '/',
  '*',
  '(',
  '-1',
  '0',
  '4294967296',
  '99999999999999999999',
  'SIP/2.0',
  'sip:',
  'sips:',
  'tel:',
  'Via: ',
  'Content-Length: ',
  'l:',
  'CSeq: 1 ',
  ';branch=z9hG4bK',
  ';tag=',
  ';lr',
  '\r\n ',
  '\r\n\r\n',
  'ä',
  '€',
  '\ud83d',
].map((text) => Buffer.from(text));

export type Random = () => number;
export const below = (random: Random, max: number): number => Math.floor(random() * max);
export const pick = <T>(random: Random, list: readonly T[]): T => list[below(random, list.length)] as T;

/** One to four changes: bytes flipped, cut, doubled, swapped with another message's, pieces put in. */
export function mutate(random: Random, from: Buffer, corpus: readonly Buffer[]): Buffer {
  let bytes = Buffer.from(from);
  for (let left = 1 + below(random, 4); left > 0; left--) {
    const at = below(random, bytes.length + 1);
    const end = Math.min(bytes.length, at + below(random, 30));
    const [head, cut, tail] = [bytes.subarray(0, at), bytes.subarray(at, end), bytes.subarray(end)];
    switch (below(random, 6)) {
      case 0:
        bytes = Buffer.concat([head, pick(random, PIECES), bytes.subarray(at)]);
        break;
      case 1:
        bytes = Buffer.concat([head, tail]);
        break;
      case 2:
        bytes = Buffer.concat([head, cut, cut, cut, tail]);
        break;
      case 3:
        if (at < bytes.length) bytes[at] = below(random, 256);
        break;
      case 4:
        bytes = Buffer.concat([head, pick(random, corpus).subarray(0, 200), tail]);
        break;
      default:
        bytes = Buffer.concat([head, Buffer.alloc(below(random, 50), pick(random, PIECES)), tail]);
    }
  }
  return bytes;
}
