import { createHash } from 'node:crypto';
import { isStorable, nestsDeeper, storable } from '../../kit/index.ts';
import { emptyMessage, tooLarge } from './errors.ts';
import { invalidText } from '../journal/index.ts';
import type { BodyType, Draft } from './model.ts';
import { LONGEST_AS_HTML, plainToHtml, sanitiseHtml } from './plain-html.ts';

/**
 * A body in HTML form (design §6).
 * @peer 413, `too-large`, cause 111
 * @test conversations/conversations: too much
 */
export const MAX_BODY_BYTES = 30_000;
/**
 * Opening brackets in raw HTML: more than a text of 30,000 bytes has, and little enough for the parser to be quick.
 * @peer 413, `too-large`, cause 111
 * @test conversations/conversations: too much
 */
export const MAX_TAGS = 10_000;
/**
 * The object of a Chat API client.
 * @peer 413, `too-large`
 * @test conversations/conversations: too much
 */
export const MAX_DATA_BYTES = 16 * 1024;
/**
 * Attached files of one message.
 * @peer 413, `too-large`, cause 111
 * @test conversations/conversations: too much
 */
export const MAX_ATTACHMENTS = 20;
/**
 * The URLs of the attached files together.
 * @peer 413, `too-large`, cause 111
 * @test conversations/conversations: too much
 */
export const MAX_ATTACH_BYTES = 8 * 1024;

/**
 * A key is made by a program; it is kept for a day.
 * @peer 413, `too-large`, cause 111
 * @test conversations/conversations: too much
 */
export const MAX_KEY_CHARACTERS = 200;
/**
 * Objects and arrays in each other in the object of a Chat API client: to write them down costs recursion.
 * @peer 413, `too-large`
 * @test conversations/conversations: too much
 */
export const MAX_DATA_DEPTH = 64;

/** What a checked draft stores. */
export type CheckedDraft = Draft;

/** Reduces HTML to plain HTML and holds the draft to its bounds. @throws too-large | empty-message | invalid-text */
export function checkDraft(draft: Draft): CheckedDraft {
  if (draft.body.length > MAX_BODY_BYTES * 4) throw tooLarge('text', MAX_BODY_BYTES);
  if (draft.type === 'text/html' && draft.body.split('<', MAX_TAGS + 2).length > MAX_TAGS + 1)
    throw tooLarge('text', MAX_BODY_BYTES);
  const text = storable(draft.body);
  const body = draft.type === 'text/html' ? sanitiseHtml(text) : text;
  if (isOverAsHtml(draft.type, body)) throw tooLarge('text', MAX_BODY_BYTES);
  if (draft.attach.length > MAX_ATTACHMENTS || isOver(draft.attach.join(' '), MAX_ATTACH_BYTES))
    throw tooLarge('list of attachments', MAX_ATTACH_BYTES);
  if (draft.idempotencyKey !== null && draft.idempotencyKey.length > MAX_KEY_CHARACTERS)
    throw tooLarge('idempotency key', MAX_KEY_CHARACTERS);
  if (draft.idempotencyKey !== null && !isStorable(draft.idempotencyKey)) throw invalidText('idempotency key');
  if (nestsDeeper(draft.data, MAX_DATA_DEPTH)) throw tooLarge('data', MAX_DATA_BYTES);
  if (draft.data !== null && isOver(JSON.stringify(draft.data), MAX_DATA_BYTES)) throw tooLarge('data', MAX_DATA_BYTES);
  if (body === '' && draft.attach.length === 0 && draft.data === null) throw emptyMessage();
  return body === draft.body ? draft : { ...draft, body };
}

/** A short text is not made HTML only to be measured. */
function isOverAsHtml(type: BodyType, body: string): boolean {
  if (body.length * LONGEST_AS_HTML <= MAX_BODY_BYTES) return false;
  return isOver(type === 'text/html' ? body : plainToHtml(body), MAX_BODY_BYTES);
}

function isOver(text: string, bytes: number): boolean {
  return text.length > bytes || (text.length * 3 > bytes && Buffer.byteLength(text) > bytes);
}

/** What makes two messages under one idempotency key the same. */
export function draftHash(draft: Draft): string {
  const parts = [draft.to, draft.type, draft.body, draft.attach, draft.data];
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64');
}
