/** A message as the RFCs print it: lines end with CRLF on the wire. Bytes that can't be printed are given as parts. */
export function wire(head: string, body: string | Buffer = ''): Buffer {
  const text = `${head.replace(/^\n/, '').trimEnd()}\n\n`.replaceAll('\n', '\r\n');
  return Buffer.concat([Buffer.from(text, 'utf8'), typeof body === 'string' ? Buffer.from(body, 'utf8') : body]);
}

/** The session description that RFC 4475 puts into most INVITEs. */
export const SDP = [
  'v=0',
  'o=mhandley 29739 7272939 IN IP4 192.0.2.3',
  's=-',
  'c=IN IP4 192.0.2.4',
  't=0 0',
  'm=audio 49217 RTP/AVP 0 12',
  'm=video 3227 RTP/AVP 31',
  'a=rtpmap:31 LPC',
  '',
].join('\r\n');

/** What becomes of a torture message: accepted; answered with a status; dropped in silence. */
export type Outcome = 'accepted' | 'dropped' | number;

export interface Torture {
  readonly name: string;
  readonly section: string;
  readonly bytes: Buffer;
  readonly outcome: Outcome;
}

export const torture = (name: string, section: string, bytes: Buffer, outcome: Outcome): Torture => ({
  name,
  section,
  bytes,
  outcome,
});
