import type { Headers, SipMessage } from '../messages/index.ts';

/** A message's body: its media type and its bytes. */
export interface Body {
  readonly type: string;
  readonly content: Uint8Array;
  /** Content-Disposition, where it isn't the type's default. */
  readonly disposition?: string | undefined;
}

/** An SDP body. */
export function sdp(text: string): Body {
  return { type: 'application/sdp', content: Buffer.from(text, 'utf8') };
}

/** A body of text. */
export function textBody(type: string, text: string): Body {
  return { type, content: Buffer.from(text, 'utf8') };
}

/** The body as UTF-8 text. */
export function textOf(body: Body): string {
  return Buffer.from(body.content).toString('utf8');
}

export function bodyOf(message: SipMessage): Body | undefined {
  if (message.body.length === 0) return undefined;
  const disposition = message.headers.get('Content-Disposition');
  return { type: message.headers.get('Content-Type') ?? 'application/sdp', content: message.body, disposition };
}

/** Whether it takes part in offer and answer (RFC 3261 20.11: `session` is the default of session descriptions). */
export function isSession(body: Body | undefined): body is Body {
  return body !== undefined && (body.disposition === undefined || /^\s*session\b/i.test(body.disposition));
}

export function describeBody(headers: Headers, body: Body | undefined): void {
  if (body === undefined) return;
  headers.set('Content-Type', body.type);
  if (body.disposition !== undefined) headers.set('Content-Disposition', body.disposition);
}
