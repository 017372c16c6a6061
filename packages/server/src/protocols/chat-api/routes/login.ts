import { Type } from 'typebox';
import type { User } from '../../../core/directory/index.ts';
import { isJsonObject, Problem } from '../../../kit/index.ts';
import type { Callers } from '../callers.ts';
import { loginRefused, secondFactorFailed } from '../errors.ts';
import { MAX_PASSWORD_BYTES } from '../limits.ts';
import type { ChatApiParts } from '../parts.ts';
import { type Asked, parameter, type Route, route, textBody } from '../route.ts';
import { sessionCookie } from '../sse/cookie.ts';
import type { Streams } from '../streams.ts';
import type { Tokens } from '../tokens.ts';

export interface LoginParts extends Pick<ChatApiParts, 'http' | 'directory' | 'observer'> {
  readonly callers: Callers;
  readonly streams: Streams;
  readonly tokens: Tokens;
}

const TEXT = { status: 200, schema: Type.String() };
const EMPTY = { status: 200, schema: null };

/** Names that are also first segments of paths: their login would be taken for a message, or a contact, to `login` (OF §5.1). */
const RESERVED = ['messages', 'contacts'];

export function loginRoutes(parts: LoginParts): readonly Route[] {
  const { http, callers, streams, tokens, observer } = parts;

  /** OF §3.1, as its table has it. */
  async function login(asked: Asked, name: string, password: string, totp: string | undefined) {
    const user = await userFor(asked, name, password);
    if (totp !== undefined) throw secondFactorFailed(user.name);
    const live = await streams.open(user);
    const token = tokens.session(live.id);
    observer.loggedIn(user.name);
    return {
      text: live.id,
      headers: {
        'x-session-token': token,
        'set-cookie': sessionCookie(token, { user: user.id, isSecure: http.addresses.isSecure(asked.raw) }),
      },
    };
  }

  async function userFor(asked: Asked, name: string, body: string): Promise<User> {
    const { actor, user: own } = asked.caller;
    const isTrusted = actor.kind === 'server' || (actor.kind === 'user' && actor.admin);
    const isOwn = own?.name === name.toLowerCase() || own?.id === (await namedOrNull(asked, name))?.id;
    if (!isOwn && !isTrusted) throw new Problem('forbidden', 'This is the login of another user.', { subject: name });
    const isEmpty = body === '' || body.trim() === '{}';
    if (!isEmpty) return withPassword(asked, name, body);
    const user = await namedOrNull(asked, name);
    if (user === null || user.isLocked) throw loginRefused(name);
    return user;
  }

  /** Some clients send the password as JSON; tried only where the raw text is not it. */
  async function withPassword(asked: Asked, name: string, body: string): Promise<User> {
    const user = await namedOrNull(asked, name);
    const account = user?.name ?? name;
    const wrapped = wrappedPassword(body);
    for (const password of wrapped === null ? [body] : [body, wrapped]) {
      try {
        return await callers.checkPassword(account, password, asked.caller.address);
      } catch (error) {
        if (!(error instanceof Problem) || error.code !== 'bad-credentials') throw error;
      }
    }
    throw loginRefused(name);
  }

  async function namedOrNull(asked: Asked, name: string): Promise<User | null> {
    try {
      return await asked.named(name);
    } catch (error) {
      if (error instanceof Problem && error.code === 'unknown-user') return null;
      throw error;
    }
  }

  function loginRoute(path: string, nameOf: (params: { readonly stream?: string }) => string): Route {
    return route({
      method: 'POST',
      path,
      form: 'plain',
      summary: 'Logs a user in: starts the chat stream, or returns the one that stands. Answers its id.',
      params: Type.Object({ stream: Type.Optional(parameter('Name of the user.')) }),
      query: Type.Object({ totp: Type.Optional(parameter('Code of the second factor.')) }),
      body: textBody('The password; empty where the caller has proven to be that user, or is trusted.'),
      bodyLimit: MAX_PASSWORD_BYTES,
      answer: TEXT,
      problems: ['login-refused', 'second-factor', 'forbidden', 'too-many-attempts'],
      handle: (ask) => login(ask, nameOf(ask.params), ask.body, ask.query.totp),
    });
  }

  const logoff = (method: 'POST' | 'DELETE', path: string, form: 'stream' | 'plain'): Route =>
    route({
      method,
      path,
      form,
      summary: 'Ends the chat stream and its event streams.',
      params: Type.Object({ stream: Type.Optional(parameter('The chat stream.')) }),
      body: textBody('Ignored.'),
      answer: EMPTY,
      problems: ['no-stream', 'forbidden'],
      async handle(ask) {
        await streams.end(await ask.live(), 'logoff');
        return {};
      },
    });

  return [
    loginRoute('/:stream/login', (params) => params.stream ?? ''),
    ...RESERVED.map((name) => loginRoute(`/${name}/login`, () => name)),
    logoff('POST', '/logoff', 'stream'),
    logoff('DELETE', '/:stream', 'plain'),
    route({
      method: 'POST',
      path: '/ticket',
      form: 'stream',
      summary: 'A ticket that opens the event stream once, for browsers on other origins: `/sse/{user}?ticket=…`.',
      body: textBody('Ignored.'),
      answer: TEXT,
      problems: ['no-stream', 'forbidden'],
      permits: (account) => ({ do: 'receive', of: account.id }),
      handle: async (ask) => ({ text: tokens.ticket((await ask.live()).id) }),
    }),
  ];
}

/** `"pw"` and `{"body":"pw"}` → `pw`. */
function wrappedPassword(body: string): string | null {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
  const inner = isJsonObject(value) ? value['body'] : value;
  return typeof inner === 'string' ? inner : null;
}
