import { createHash, timingSafeEqual } from 'node:crypto';
import type { User } from '../../core/directory/index.ts';
import { Problem } from '../../kit/index.ts';
import type { TapiMessengerParts } from './parts.ts';
import type { StompError } from './stomp/index.ts';

/** What a CONNECT has made of its session (design §7). */
export type Login =
  | { readonly kind: 'user'; readonly user: User }
  /** May use the original `/tapi/*` after `/tapi/listen`. `name`: a login of `auth.users`, known to STOMP alone. */
  | { readonly kind: 'anonymous'; readonly name: string | null }
  | { readonly kind: 'refused'; readonly reason: StompError };

export interface Credentials {
  readonly login: string;
  readonly passcode: string;
  readonly address: string;
}

const ANONYMOUS: Login = { kind: 'anonymous', name: null };

/** The original page sends these words, whoever uses it. Checking them would cost a hash and the address's good name. */
const PLACEHOLDER = { login: 'mylogin', passcode: 'mypasswd' };

export async function checkLogin(parts: TapiMessengerParts, credentials: Credentials): Promise<Login> {
  const { mode, users } = parts.settings.auth;
  switch (mode) {
    case 'none':
      return ANONYMOUS;
    case 'static':
      return checkStatic(parts, users, credentials);
    case 'optional':
    case 'required':
      return checkUser(parts, credentials, mode === 'required');
  }
}

async function checkUser(parts: TapiMessengerParts, credentials: Credentials, isRequired: boolean): Promise<Login> {
  const { login: name, passcode: password, address } = credentials;
  const isEmpty = name === '' || password === '';
  if (isEmpty || (name === PLACEHOLDER.login && password === PLACEHOLDER.passcode && !isRequired))
    return isRequired ? { kind: 'refused', reason: 'bad-credentials' } : ANONYMOUS;
  try {
    const user = await parts.directory.authenticate({ name, password, address });
    parts.observer.loggedIn({ kind: 'user', name: user.name });
    return { kind: 'user', user };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return failed(parts, credentials, error, isRequired);
  }
}

function failed(
  parts: TapiMessengerParts,
  { login, address }: Credentials,
  problem: Problem,
  isRequired: boolean,
): Login {
  if (problem.code !== 'bad-credentials' && problem.code !== 'too-many-attempts')
    return { kind: 'refused', reason: 'busy' };
  parts.observer.loginFailed(address, login);
  return isRequired ? { kind: 'refused', reason: problem.code } : ANONYMOUS;
}

/** TM ST-13, `static`: the same time for every login and passcode. */
function checkStatic(
  { guard, observer }: Pick<TapiMessengerParts, 'guard' | 'observer'>,
  users: Readonly<Record<string, string>>,
  { login, passcode, address }: Credentials,
): Login {
  try {
    guard.admit(address, login);
  } catch (error) {
    if (error instanceof Problem) return { kind: 'refused', reason: 'too-many-attempts' };
    throw error;
  }
  const known = Object.hasOwn(users, login) ? users[login] : undefined;
  const isRight = timingSafeEqual(digest(passcode), digest(known ?? '')) && known !== undefined;
  if (isRight) return { kind: 'anonymous', name: login };
  guard.failed(address, login);
  observer.loginFailed(address, login);
  return { kind: 'refused', reason: 'bad-credentials' };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
