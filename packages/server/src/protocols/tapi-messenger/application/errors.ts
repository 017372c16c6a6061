import { Problem } from '../../../kit/index.ts';
import type { Report } from '../client.ts';
import type { Frame } from '../stomp/index.ts';

/** Codes of the error queue (TM AP-40 and ours), by the code of the problem. What is not here is `internal`. */
const CODES: Readonly<Record<string, string>> = {
  'unknown-destination': 'unknown-destination',
  forbidden: 'forbidden',
  'bad-request': 'bad-request',
  'listen-failed': 'listen-failed',
  'call-failed': 'call-failed',
  'too-large': 'too-large',
  resync: 'resync',
  'recipient-unavailable': 'recipient-unavailable',
  'unknown-recipient': 'unknown-recipient',
  'unknown-user': 'unknown-recipient',
  'own-recipient': 'bad-request',
  'empty-message': 'bad-request',
  'invalid-text': 'bad-request',
  'idempotency-conflict': 'idempotency-conflict',
  'invalid-idempotency-key': 'bad-request',
  'invalid-number': 'bad-request',
  'no-number': 'call-failed',
  'no-such-call': 'no-such-call',
  'not-supported': 'not-supported',
  'wrong-state': 'wrong-state',
  'call-refused': 'call-failed',
  'outcome-unknown': 'call-failed',
  'engine-unavailable': 'unavailable',
  'store-unavailable': 'unavailable',
  'too-many-requests': 'too-many-requests',
  'too-many-listeners': 'too-many-requests',
  'too-many-numbers': 'too-many-requests',
  'too-many-sessions': 'too-many-requests',
  'too-many-watchers': 'too-many-requests',
};

/** What the asker is told of a refused frame. */
export function refusalReport(problem: Problem, { headers }: Frame): Report {
  const receipt = headers.get('receipt');
  return {
    code: CODES[problem.code] ?? 'internal',
    message: problem.message,
    destination: headers.get('destination') ?? '',
    ...(receipt === undefined ? {} : { receipt }),
  };
}

export function unknownDestination(destination: string): Problem {
  return new Problem('unknown-destination', 'There is nothing at this destination.', { subject: destination });
}

export function forbidden(reason: string): Problem {
  return new Problem('forbidden', reason);
}

export function badRequest(reason: string): Problem {
  return new Problem('bad-request', reason);
}

/** Why a session could not begin to listen: the same answer for every reason, so that nothing can be found out by asking. */
export function listenFailed(): Problem {
  return new Problem('listen-failed', 'No telephone number was found for this session.');
}
