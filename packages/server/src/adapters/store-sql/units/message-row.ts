import { htmlToPlain, type Message } from '../../../core/conversations/index.ts';
import { searchable } from '../codec.ts';
import type { MessagesTable } from '../schema.ts';

export function messageRow(
  message: Omit<Message, 'seq'>,
  at: { readonly num: number; readonly conversation: number; readonly seq: number },
): MessagesTable {
  const { id, sender, resource, recipient, type, body, attach, data } = message;
  return {
    ...at,
    id,
    sender,
    resource,
    recipient,
    at: message.at,
    type,
    body,
    search_text: searchTextOf(message),
    attach: attach.length === 0 ? null : JSON.stringify(attach),
    data: data === null ? null : JSON.stringify(data),
  };
}

/** What `keywords` is compared with; null where that is the body itself. */
function searchTextOf(message: Pick<Message, 'type' | 'body'>): string | null {
  const text = searchable(message.type === 'text/html' ? htmlToPlain(message.body) : message.body);
  return text === message.body ? null : text;
}
