import { Problem } from '../../kit/index.ts';

/**
 * What a number text is cut to before it is shown again (TM AP-21).
 * @peer cut
 * @test calls/limits: ids and keys
 */
const MAX_ECHO = 64;

function echo(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is replaced
  return text.slice(0, MAX_ECHO).replace(/[\u0000-\u001f\u007f-\u009f]/g, '?');
}

export function invalidNumber(text: string): Problem {
  return new Problem('invalid-number', 'This is no telephone number.', { subject: echo(text) });
}

/** The asker, or the user asked about, has no telephone number. */
export function noNumber(): Problem {
  return new Problem('no-number', 'There is no telephone number here.');
}

/** Not connected, or no engine at all. A dial is never kept for later (TM AP-23). */
export function engineUnavailable(): Problem {
  return new Problem('engine-unavailable', 'The telephone system cannot be reached.', { retry: true });
}

/** Whoever was asked went away before it answered: what was asked for is done, or is not. */
export function outcomeUnknown(): Problem {
  return new Problem('outcome-unknown', 'It is not known whether this was done.');
}

export function notSupported(what: string): Problem {
  return new Problem('not-supported', 'The telephone system cannot do this.', { subject: what });
}

export function noSuchCall(): Problem {
  return new Problem('no-such-call', 'There is no such call.');
}

/** The call does not stand so that this could be done: answering what is connected, holding what rings. */
export function wrongState(state: string): Problem {
  return new Problem('wrong-state', 'The call is not in a state for this.', { subject: state });
}

/** The telephone system said no. */
export function callRefused(reason: string): Problem {
  return new Problem('call-refused', 'The telephone system refuses this.', { subject: reason });
}

export function tooManyRequests(retryAfterMs: number): Problem {
  return new Problem('too-many-requests', 'Too many calls in a short time.', { retry: true, retryAfterMs });
}

export function tooManyListeners(number: string): Problem {
  return new Problem('too-many-listeners', 'Too many sessions listen to this number.', {
    retry: true,
    subject: number,
  });
}

export function tooManyNumbers(): Problem {
  return new Problem('too-many-numbers', 'Too many numbers are listened to.', { retry: true });
}

export function idempotencyConflict(): Problem {
  return new Problem('idempotency-conflict', 'This idempotency key was used for something else.');
}

export function invalidIdempotencyKey(): Problem {
  return new Problem('invalid-idempotency-key', 'An idempotency key has 1 to 200 characters.');
}
