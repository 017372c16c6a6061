import { Problem } from '../../kit/index.ts';

export function unknownRecipient(subject: string): Problem<'unknown-recipient'> {
  return new Problem('unknown-recipient', 'There is no such recipient.', { subject });
}

/** Nobody could take it and nothing may keep it (design §6, storage right). */
export function recipientUnavailable(subject: string): Problem<'recipient-unavailable'> {
  return new Problem('recipient-unavailable', 'The recipient is offline and has no stored chat.', { subject, retry: true });
}

export function tooLarge(what: string, limit: number): Problem<'too-large'> {
  return new Problem('too-large', `The ${what} is larger than ${limit} bytes.`, { subject: what });
}

export function emptyMessage(): Problem<'empty-message'> {
  return new Problem('empty-message', 'A message needs a text, an attachment or data.');
}

export function ownRecipient(subject: string): Problem<'own-recipient'> {
  return new Problem('own-recipient', 'One cannot write to oneself.', { subject });
}

export function idempotencyConflict(): Problem<'idempotency-conflict'> {
  return new Problem('idempotency-conflict', 'This idempotency key was used for another message.');
}
