import type { IncomingMessage } from 'node:http';
import { decodeMessages } from './frames.ts';

export type Body =
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  | { readonly kind: 'too-large' }
  /** The peer went away; there is nobody to answer. */
  | { readonly kind: 'aborted' };

/** Reads a request body without ever holding more than `maxBytes` of it. */
export async function readBody(req: IncomingMessage, maxBytes: number): Promise<Body> {
  if (Number(req.headers['content-length'] ?? 0) > maxBytes) return { kind: 'too-large' };
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    req.on('data', (chunk: Buffer) => {
      sizeBytes += chunk.length;
      if (sizeBytes <= maxBytes) {
        chunks.push(chunk);
        return;
      }
      chunks.length = 0;
      req.removeAllListeners('data').pause();
      resolve({ kind: 'too-large' });
    });
    req.once('end', () => resolve({ kind: 'whole', bytes: Buffer.concat(chunks) }));
    req.once('close', () => resolve({ kind: 'aborted' }));
    req.once('error', () => resolve({ kind: 'aborted' }));
  });
}

export type Payload =
  | { readonly ok: true; readonly messages: readonly string[] }
  | { readonly ok: false; readonly reason: 'Payload expected.' | 'Broken JSON encoding.' };

/** TM SJ-41. */
export function payloadOf(text: string): Payload {
  if (text === '') return { ok: false, reason: 'Payload expected.' };
  try {
    const first = /^\s*(.)/.exec(text)?.[1];
    if (first !== '[') {
      JSON.parse(text);
      return { ok: false, reason: 'Payload expected.' };
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { ok: false, reason: 'Broken JSON encoding.' };
  }
  const messages = decodeMessages(text);
  return messages === undefined ? { ok: false, reason: 'Broken JSON encoding.' } : { ok: true, messages };
}

/** The JSON of a `jsonp_send`: form member `d`, or the body itself (TM §2.5). */
export function jsonpText(body: string, contentType: string | undefined): string {
  const isForm = contentType?.toLowerCase().startsWith('application/x-www-form-urlencoded') ?? body.startsWith('d=');
  return isForm ? (new URLSearchParams(body).get('d') ?? '') : body;
}
