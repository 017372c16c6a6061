import type { Draft } from '../../../core/conversations/index.ts';
import type { User } from '../../../core/directory/index.ts';
import type { UserId } from '../../../core/journal/index.ts';
import { Problem } from '../../../kit/index.ts';
import type { Client } from '../client.ts';
import type { TapiMessengerParts } from '../parts.ts';
import type { Frame, Header } from '../stomp/index.ts';
import { jsonObjectOrNull, messageBody, parseBody } from './bodies.ts';
import { badRequest, forbidden } from './errors.ts';

/**
 * Idempotency keys are kept by the store: as long as those of calls.
 * @peer error-queue `bad-request`
 * @test tapi-messenger/limits: an idempotency key
 */
const MAX_KEY_CHARS = 200;

/**
 * `/tapi/message` (design §6): resolves when the message is stored, or, where nobody concerned has the storage right, when a live
 * session has taken it; with headers for its receipt.
 */
export async function sendMessage(
  parts: Pick<TapiMessengerParts, 'conversations' | 'directory' | 'domain' | 'observer'>,
  client: Client,
  frame: Frame,
): Promise<readonly Header[]> {
  const { user } = client;
  if (user === null) throw forbidden('Sign in to write messages.');
  const { to, body, html, attach, data } = parseBody(messageBody, frame);
  const idempotencyKey = frame.headers.get('idempotency-key') ?? null;
  if (idempotencyKey !== null && (idempotencyKey === '' || idempotencyKey.length > MAX_KEY_CHARS))
    throw badRequest('An idempotency key has 1 to 200 characters.');
  const recipient = await findParty(parts, to);
  const draft: Draft = {
    to: recipient,
    type: html === undefined ? 'text/plain' : 'text/html',
    body: html ?? body ?? '',
    attach: attach ?? [],
    data: jsonObjectOrNull(data),
    resource: client.resource,
    idempotencyKey,
  };
  const { message, isRepeat } = await parts.conversations.send(client.actor, user.id, draft);
  if (!isRepeat) parts.observer.messageSent();
  return [['id', message.id], ['seq', String(message.seq)], ...(isRepeat ? [['repeat', 'true'] as const] : [])];
}

async function findParty(
  { directory, domain }: Pick<TapiMessengerParts, 'directory' | 'domain'>,
  to: string,
): Promise<UserId> {
  const name = localName(to, domain);
  const party: User | null = name === null ? null : await directory.party({ by: 'name', value: name });
  if (party === null)
    throw new Problem('unknown-recipient', 'There is no such recipient.', { subject: to.slice(0, MAX_KEY_CHARS) });
  return party.id;
}

/** `bob`, or `bob@` this domain. */
export function localName(text: string, domain: string): string | null {
  const [name = '', host, ...rest] = text.toLowerCase().split('@');
  const isHere = host === undefined || (rest.length === 0 && host === domain.toLowerCase());
  return isHere && name !== '' ? name : null;
}
