import type { IncomingMessage } from 'node:http';
import type { Directory, LoginGuard, User } from '../../core/directory/index.ts';
import type { Actor } from '../../core/permissions/index.ts';
import { Problem } from '../../kit/index.ts';
import { notSignedIn } from './errors.ts';
import { parseAddress } from './jid.ts';
import type { ChatApiObserver } from './parts.ts';
import type { LiveStream } from './stream.ts';
import type { Streams } from './streams.ts';
import { isSecret, type Tokens } from './tokens.ts';

/** Who makes a request. */
export interface Caller {
  readonly actor: Actor;
  /** Null: the shared secret, which is nobody in particular. */
  readonly user: User | null;
  readonly address: string;
}

export interface CallersParts {
  readonly directory: Pick<Directory, 'authenticate'>;
  readonly guard: LoginGuard;
  readonly streams: Streams;
  readonly tokens: Tokens;
  readonly addressOf: (req: IncomingMessage) => string;
  readonly domain: string;
  readonly secret: string | null;
  readonly observer: Pick<ChatApiObserver, 'loginFailed'>;
}

/** What failed attempts with the secret or a token are counted under. */
const SECRET_ACCOUNT = ':secret';
const TOKEN_ACCOUNT = ':token';

export interface Callers {
  /** @throws bad-credentials | too-many-attempts | busy, also by rejecting */
  require(req: IncomingMessage): Caller | Promise<Caller>;
  /** Checks a user's password. @throws bad-credentials | too-many-attempts | busy */
  checkPassword(name: string, password: string, address: string): Promise<User>;
}

/** Authenticates requests (OF §2): Basic, the shared secret, or our session token as Bearer. */
export function createCallers(parts: CallersParts): Callers {
  const { directory, guard, streams, tokens, addressOf, domain, secret, observer } = parts;

  async function checkPassword(name: string, password: string, address: string): Promise<User> {
    try {
      return await directory.authenticate({ name, password, address });
    } catch (error) {
      if (error instanceof Problem && error.code === 'bad-credentials') observer.loginFailed(address, name);
      throw error;
    }
  }

  function fail(address: string, account: string): never {
    guard.failed(address, account);
    observer.loginFailed(address, account);
    throw notSignedIn();
  }

  async function basic(credentials: string, address: string): Promise<User> {
    const text = Buffer.from(credentials, 'base64').toString('utf8');
    const colon = text.indexOf(':');
    if (colon < 0) fail(address, ':basic');
    return checkPassword(accountName(text.slice(0, colon), domain), text.slice(colon + 1), address);
  }

  function bearer(token: string, address: string): User | Promise<User> {
    const id = tokens.openSession(token);
    // Nobody guesses a signature, so a right one is not held up by a neighbour's wrong ones.
    if (id === null) {
      guard.admit(address, TOKEN_ACCOUNT);
      fail(address, TOKEN_ACCOUNT);
    }
    const live = streams.byId(id);
    return live instanceof Promise ? live.then(ownerOf) : live.user;
  }

  function ownerOf(live: LiveStream | null): User {
    // A token that was good once: its stream has ended.
    if (live === null) throw notSignedIn();
    return live.user;
  }

  function signedIn(scheme: 'basic' | 'bearer', header: string, address: string): User | Promise<User> {
    const credentials = header.slice(scheme.length).trimStart();
    return scheme === 'basic' ? basic(credentials, address) : bearer(credentials, address);
  }

  function of(user: User, address: string): Caller {
    return { actor: { kind: 'user', user: user.id, admin: user.isAdmin }, user, address };
  }

  return {
    checkPassword,
    require(req) {
      const header = req.headers.authorization?.trim() ?? '';
      const address = addressOf(req);
      if (header === '') throw notSignedIn();
      const blank = header.indexOf(' ');
      const scheme = (blank < 0 ? header : header.slice(0, blank)).toLowerCase();
      const user = scheme === 'basic' || scheme === 'bearer' ? signedIn(scheme, header, address) : null;
      if (user !== null) return user instanceof Promise ? user.then((known) => of(known, address)) : of(user, address);
      guard.admit(address, SECRET_ACCOUNT);
      if (secret !== null && isSecret(header, secret)) return { actor: { kind: 'server' }, user: null, address };
      return fail(address, SECRET_ACCOUNT);
    },
  };
}

/** `alice@example.test` signs in as `alice`; what is no address at all just fails as a name. */
function accountName(text: string, domain: string): string {
  try {
    const { name, foreignDomain } = parseAddress(text, domain);
    return foreignDomain === null ? name : text;
  } catch (error) {
    if (error instanceof Problem) return text;
    throw error;
  }
}
