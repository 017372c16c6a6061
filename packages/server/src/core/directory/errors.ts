import { Problem } from '../../kit/index.ts';

export function unknownUser(subject: string): Problem {
  return new Problem('unknown-user', 'There is no such user.', { subject });
}

/** The same for an unknown name, a wrong password and a locked account. */
export function badCredentials(): Problem {
  return new Problem('bad-credentials', 'Name or password is wrong.');
}

export function tooManyAttempts(retryAfterMs: number): Problem {
  return new Problem('too-many-attempts', 'Too many failed logins from this address; wait.', {
    retry: true,
    retryAfterMs,
  });
}

export function busy(): Problem {
  return new Problem('busy', 'Too many logins at once; try again.', { retry: true, retryAfterMs: 1000 });
}

export function unsealable(): Problem {
  return new Problem('unsealable', 'A stored secret cannot be opened: its key is not configured.');
}
