import { Problem } from '../../kit/index.ts';

export function nameTaken(subject: string): Problem {
  return new Problem('name-taken', 'This name is taken.', { subject });
}

export function numberTaken(subject: string): Problem {
  return new Problem('number-taken', 'This number belongs to another user.', { subject });
}

export function unknownContact(subject: string): Problem {
  return new Problem('unknown-contact', 'There is no such contact.', { subject });
}

/** What was asked contradicts what stands: an id that is used already. */
export function conflict(cause: unknown): Problem {
  return new Problem('store-conflict', 'The store holds something else under this key.', { cause });
}

export function searchTooComplex(): Problem {
  return new Problem('search-too-complex', 'The search has too many or too long words.');
}

/** It is unknown whether the unit was applied; with its idempotency key it may be repeated. */
export function storeUnavailable(reason: string): Problem {
  return new Problem('store-unavailable', `The store cannot be used now: ${reason}.`, {
    retry: true,
    retryAfterMs: 1000,
  });
}

const TOO_NEW =
  'The database was made by a newer version of Tieline. Start that version again, or restore a backup that was made before the upgrade.';

export function storeTooNew(subject: string): Problem {
  return new Problem('store-too-new', TOO_NEW, { subject });
}

export function storeUnsupported(subject: string): Problem {
  return new Problem('store-unsupported', 'There is no store for this kind of address.', { subject });
}

/** The database was restored or failed over while this process ran: it has to start anew, and its clients too. */
export function storeChanged(): Problem {
  return new Problem(
    'store-changed',
    'The database has another history than when this node started; restart the node.',
  );
}

export function storeInUse(subject: string, cause: unknown): Problem {
  return new Problem('store-in-use', 'Another process has this database open.', { subject, cause });
}

export function noSuchDatabase(subject: string): Problem {
  return new Problem('no-such-database', 'There is no such file.', { subject });
}

export function targetExists(subject: string): Problem {
  return new Problem('target-exists', 'There is something under this name already; nothing is overwritten.', {
    subject,
  });
}

export function noTielineDatabase(subject: string, cause?: unknown): Problem {
  return new Problem('no-tieline-database', 'This is no database of Tieline.', { subject, cause });
}

export function storeDamaged(subject: string, cause: unknown): Problem {
  return new Problem('store-damaged', 'The database is damaged.', { subject, cause });
}
