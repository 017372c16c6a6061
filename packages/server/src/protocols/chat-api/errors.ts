import { Problem } from '../../kit/index.ts';

/** `exception` of the error entity (OF §1.4). */
type ExceptionName =
  | 'IllegalArgumentException'
  | 'UserNotFoundException'
  | 'UserAlreadyExistsException'
  | 'AlreadyExistsException'
  | 'NotAllowedException'
  | 'RosterItemNotFound'
  | 'ResourceNotFoundException'
  | 'ServiceUnavailableException';

interface Translation {
  readonly status: number;
  readonly exception: ExceptionName;
  /** In place of the problem's own words, which say too much of our inside. */
  readonly message?: string;
}

const illegal = (status: number): Translation => ({ status, exception: 'IllegalArgumentException' });
const denied = (status: number): Translation => ({ status, exception: 'NotAllowedException' });
const missing = (exception: ExceptionName): Translation => ({ status: 404, exception });
const exists = (exception: ExceptionName): Translation => ({ status: 409, exception });
const unavailable: Translation = { status: 503, exception: 'ServiceUnavailableException' };

/** How every problem of the core and of this surface is told. The only such table of the surface. */
export const TRANSLATIONS: Readonly<Record<string, Translation>> = {
  // permissions, directory
  forbidden: denied(403),
  'bad-credentials': denied(401),
  'too-many-attempts': denied(429),
  busy: unavailable,
  unsealable: { status: 500, exception: 'ServiceUnavailableException' },
  'unknown-user': missing('UserNotFoundException'),
  'unknown-contact': missing('RosterItemNotFound'),
  'name-taken': exists('UserAlreadyExistsException'),
  'number-taken': exists('AlreadyExistsException'),
  // conversations
  'unknown-recipient': missing('UserNotFoundException'),
  'own-recipient': illegal(400),
  'recipient-unavailable': illegal(400),
  'empty-message': illegal(400),
  'invalid-text': illegal(400),
  'too-large': illegal(413),
  'idempotency-conflict': exists('AlreadyExistsException'),
  'invalid-idempotency-key': illegal(400),
  // presence, delivery
  'too-many-watchers': unavailable,
  'too-many-sessions': denied(429),
  // calls
  'invalid-number': illegal(400),
  'no-number': illegal(400),
  'no-such-call': missing('ResourceNotFoundException'),
  'wrong-state': illegal(409),
  'call-refused': illegal(409),
  'not-supported': { status: 501, exception: 'IllegalArgumentException' },
  'too-many-requests': denied(429),
  'too-many-listeners': denied(429),
  'too-many-numbers': unavailable,
  'engine-unavailable': unavailable,
  'outcome-unknown': { status: 504, exception: 'ServiceUnavailableException' },
  // store
  'store-unavailable': { ...unavailable, message: 'The store cannot be used now; try again.' },
  'store-conflict': exists('AlreadyExistsException'),
  'search-too-complex': illegal(400),
  // this surface
  'bad-request': illegal(400),
  'login-refused': illegal(400),
  'second-factor': illegal(400),
  'no-stream': illegal(400),
  'no-account': illegal(400),
  'no-event-stream': missing('ResourceNotFoundException'),
  'not-found': missing('ResourceNotFoundException'),
  'not-acceptable': illegal(406),
  'body-too-large': illegal(413),
  'contact-exists': exists('AlreadyExistsException'),
  'too-many-contacts': illegal(409),
  internal: { status: 500, exception: 'ServiceUnavailableException' },
};

/** The error entity as JSON (OF §1.4): both spellings of its first member. */
export interface ErrorEntity {
  readonly resource: string;
  readonly ressource: string;
  readonly message: string;
  readonly exception: string;
}

export interface ErrorAnswer {
  readonly status: number;
  readonly entity: ErrorEntity;
  /** `Retry-After`, in whole seconds. */
  readonly retryAfter: number | null;
}

/** What a peer that may try again should wait at least, where nobody knows better. */
const DEFAULT_RETRY_S = 1;

export function errorAnswer(problem: Problem): ErrorAnswer {
  const { status, exception, message = problem.message } = TRANSLATIONS[problem.code] ?? illegal(400);
  const resource = problem.subject ?? '';
  const isLater = status === 429 || status === 503;
  const seconds = problem.retryAfterMs === undefined ? DEFAULT_RETRY_S : Math.ceil(problem.retryAfterMs / 1_000);
  return {
    status,
    entity: { resource, ressource: resource, message, exception },
    retryAfter: isLater ? Math.max(1, seconds) : null,
  };
}

export const badRequest = (subject: string, message: string): Problem =>
  new Problem('bad-request', message, { subject });

/** OF §3.1: a login that is refused, whatever the reason. */
export const loginRefused = (subject: string): Problem =>
  new Problem('login-refused', 'xmpp connection error', { subject });

export const secondFactorFailed = (subject: string): Problem =>
  new Problem('second-factor', 'two-factor authentication (2fa) failure', { subject });

/** The stream's id is not repeated: it may be somebody else's (OF §3). */
export const noStream = (): Problem => new Problem('no-stream', 'xmpp connection not found');

export const noAccount = (): Problem =>
  new Problem('no-account', 'The shared secret has no account of its own: name one in X-Chat-User.', {
    subject: 'X-Chat-User',
  });

export const notSignedIn = (): Problem => new Problem('bad-credentials', 'Sign in first.');

/** OF §4.1: the event stream comes after the login. */
export const noEventStream = (subject: string): Problem =>
  new Problem('no-event-stream', 'This user has not logged in to chat.', { subject });

export const foreignOrigin = (): Problem => new Problem('forbidden', 'Pages of this origin may not do that.');

export const notFound = (): Problem => new Problem('not-found', 'There is nothing at this address.');

export const notAcceptable = (what: string): Problem => new Problem('not-acceptable', `Only ${what} is offered here.`);

export const contactExists = (subject: string): Problem =>
  new Problem('contact-exists', 'The contact is listed already.', { subject });

/** OF §5.3, in the original's words. */
export const noContact = (subject: string): Problem =>
  new Problem('unknown-contact', 'Roster Item could not deleted', { subject });

/** OF §5.3: another name than for deleting. */
export const noContactToChange = (subject: string): Problem =>
  new Problem('unknown-user', 'There is no such contact.', { subject });

export const tooManyContacts = (limit: number): Problem =>
  new Problem('too-many-contacts', `A list holds at most ${limit} contacts.`);
