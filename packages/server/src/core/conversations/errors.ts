import { Problem } from '../../kit/index.ts';

export function unknownRecipient(subject: string): Problem {
  return new Problem('unknown-recipient', 'There is no such recipient.', { subject });
}

/** Nobody could take it and nothing may keep it (design §6, storage right). */
export function recipientUnavailable(subject: string): Problem {
  return new Problem('recipient-unavailable', 'The recipient is offline and has no stored chat.', {
    subject,
    retry: true,
  });
}

export function tooLarge(what: string, limit: number): Problem {
  return new Problem('too-large', `The ${what} is larger than ${limit} bytes.`, { subject: what });
}

export function emptyMessage(): Problem {
  return new Problem('empty-message', 'A message needs a text, an attachment or data.');
}

export function ownRecipient(subject: string): Problem {
  return new Problem('own-recipient', 'One cannot write to oneself.', { subject });
}

export function idempotencyConflict(): Problem {
  return new Problem('idempotency-conflict', 'This idempotency key was used for another message.');
}
