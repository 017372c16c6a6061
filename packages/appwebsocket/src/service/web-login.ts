import type { IncomingMessage, ServerResponse } from 'node:http';
import { appLoginDigest, appSessionKey, randomHex } from '../crypto/digests.ts';
import { LOGIN_FAILED_TEXT } from '../handshake/acceptor.ts';
import type { PasswordAnswer, PasswordRequest } from '../handshake/acceptor-model.ts';
import type { AppIdentity } from '../handshake/identity.ts';
import { identityOf } from '../handshake/identity.ts';
import type { ReceivedLogin } from '../handshake/received-login.ts';
import { appNameOf, matchingPassword, parseQueryLogin } from '../handshake/received-login.ts';
import type { JsonObject } from '../wire/envelope.ts';
import { SERVICE_LIMITS } from './limits.ts';
import { LoginGuard } from './login-guard.ts';
import { pathOf } from './mount.ts';
import { askPassword } from './password-source.ts';
import type { PasswordSource } from './service-options.ts';
import { WebSessions } from './web-sessions.ts';

/** A visitor's login ends after a working day. */
const SESSION_LIFETIME_MS = 10 * 3600 * 1000;
const COOKIE = 'appws';

/** What a login over HTTP GET is. `password` is all it needs. */
export interface WebLoginOptions {
  /** Path of the login, as the page calls it. Default `/login`. */
  readonly path?: string | undefined;
  readonly password: PasswordSource;
  /** Asked after the digest was found right: a text refuses the login with that text. */
  readonly admit?: ((identity: AppIdentity) => string | undefined) | undefined;
  /**
   * For pages of this server's own that need a login at a PBX or an app service (`mt=AppGetLogin`, AW §3.10): the
   * account to log in with, or nothing if this visitor gets none. Without it the message is refused.
   */
  readonly issue?:
    | ((app: string, request: IncomingMessage) => { readonly domain?: string; readonly password: string } | undefined)
    | undefined;
  /** How long a login lasts. Default 10 hours. */
  readonly lifetimeMs?: number | undefined;
  /** True where browsers reach this server over https: the cookie then works inside the frames of myApps. */
  readonly isSecure?: boolean | undefined;
  readonly onError?: ((error: unknown) => void) | undefined;
  readonly addressOf?: ((request: IncomingMessage) => string) | undefined;
}

/** The part of a Fastify instance that {@link WebLogin.plugin} needs. */
export interface FastifyRoutes {
  get(
    path: string,
    handler: (
      request: { readonly raw: IncomingMessage },
      reply: { readonly raw: ServerResponse; hijack(): unknown },
    ) => void,
  ): unknown;
}

/**
 * The login of an external web service (AW §3.10): no WebSocket, the challenge lives in a cookie's session.
 * @example
 * const login = new WebLogin({ password: 'secret' });
 * createServer((request, response) => {
 *   if (login.handle(request, response)) return;
 *   response.end(`Hello ${login.identityOf(request)?.sip ?? 'stranger'}`);
 * });
 */
export class WebLogin {
  readonly #options: WebLoginOptions;
  readonly #path: string;
  readonly #sessions: WebSessions;
  readonly #guard = new LoginGuard(SERVICE_LIMITS);

  constructor(options: WebLoginOptions) {
    this.#options = options;
    this.#path = options.path ?? '/login';
    this.#sessions = new WebSessions(options.lifetimeMs ?? SESSION_LIFETIME_MS);
  }

  /** Answers a request for the login's path; false: it is another path, and nothing was done. */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    if (pathOf(request) !== this.#path) return false;
    this.#serve(request, response);
    return true;
  }

  /**
   * A Fastify plugin that answers the login's path.
   * @example await fastify.register(login.plugin);
   */
  readonly plugin = (fastify: FastifyRoutes): Promise<void> => {
    fastify.get(this.#path, (request, reply) => {
      reply.hijack();
      // Whatever its path: the instance may have put a prefix before it.
      this.#serve(request.raw, reply.raw);
    });
    return Promise.resolve();
  };

  /** Who sent a request; undefined: he has not logged in. */
  identityOf(request: IncomingMessage): AppIdentity | undefined {
    return this.#sessions.find(cookieOf(request))?.identity;
  }

  /** Session key of the login, for `encryptWith` and its kind. */
  sessionKeyOf(request: IncomingMessage): string | undefined {
    return this.#sessions.find(cookieOf(request))?.sessionKey;
  }

  /** Forgets the visitor. */
  logout(request: IncomingMessage): void {
    this.#sessions.end(cookieOf(request));
  }

  /** How many challenges and logins are remembered: for a metric. */
  get sizes(): { readonly challenges: number; readonly sessions: number } {
    return this.#sessions.sizes;
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    this.#answer(request, response).catch((error: unknown) => {
      this.#report(error);
      reply(response, 500, {});
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'GET') return reply(response, 405, {});
    const query = new URL(request.url ?? '/', 'http://localhost').searchParams;
    switch (query.get('mt')) {
      case 'AppChallenge': {
        const id = cookieOf(request) || randomHex(16);
        const challenge = this.#sessions.challenge(id);
        return reply(response, 200, { mt: 'AppChallengeResult', challenge }, this.#cookie(id));
      }
      case 'AppLogin':
        return this.#login(request, query, response);
      case 'AppGetLogin':
        return this.#issue(request, query, response);
      default:
        return reply(response, 400, {});
    }
  }

  async #login(request: IncomingMessage, query: URLSearchParams, response: ServerResponse): Promise<void> {
    const challenge = this.#sessions.takeChallenge(cookieOf(request));
    const login = parseQueryLogin(query);
    const address = this.#options.addressOf?.(request) ?? request.socket.remoteAddress ?? '';
    if (this.#guard.waitMs(address) > 0) return reply(response, 429, {});
    const failed = (errorText = LOGIN_FAILED_TEXT): void =>
      reply(response, 200, { mt: 'AppLoginResult', ok: false, errorText });
    const outcome = challenge === undefined || login === undefined ? {} : await this.#verify(login, challenge, address);
    if (login === undefined || outcome.sessionKey === undefined) {
      this.#guard.failed(address, outcome.request);
      return failed(outcome.errorText);
    }
    const identity = identityOf(login);
    const objection = this.#options.admit?.(identity);
    if (objection !== undefined) return failed(objection);
    this.#sessions.end(cookieOf(request));
    const id = this.#sessions.open(identity, outcome.sessionKey);
    reply(response, 200, { mt: 'AppLoginResult', ok: true }, this.#cookie(id));
  }

  async #verify(login: ReceivedLogin, challenge: string, address: string): Promise<Outcome> {
    const { domain, sip, guid, dn, pbxObj, info } = login;
    const app = appNameOf(login);
    const request: PasswordRequest = {
      purpose: 'login',
      ...{ app, domain, sip, guid, dn, pbxObj, info, challenge, login },
    };
    if (!this.#guard.mayTry(address, request)) return { request };
    return { request, ...judge(await askPassword(this.#options.password, request), login, challenge) };
  }

  #issue(request: IncomingMessage, query: URLSearchParams, response: ServerResponse): void {
    const app = query.get('app') ?? '';
    const account = this.#options.issue?.(app, request);
    if (account === undefined) return reply(response, 403, { mt: 'AppGetLoginResult', error: 'not allowed' });
    const { domain = '', password } = account;
    const challenge = query.get('challenge') ?? '';
    const digest = appLoginDigest({ app, domain }, challenge, password);
    reply(response, 200, { mt: 'AppGetLoginResult', app, domain, sip: '', guid: '', dn: '', challenge, digest });
  }

  /** myApps shows the page in a frame of another site: only `SameSite=None` cookies come back from there. */
  #cookie(id: string): string {
    return `${COOKIE}=${id}; Path=/; HttpOnly; ${this.#options.isSecure === true ? 'Secure; SameSite=None' : 'SameSite=Lax'}`;
  }

  #report(error: unknown): void {
    const { onError } = this.#options;
    if (onError !== undefined) onError(error);
    else process.emitWarning(error instanceof Error ? error : new Error(String(error)));
  }
}

interface Outcome {
  readonly request?: PasswordRequest;
  readonly sessionKey?: string | undefined;
  readonly errorText?: string | undefined;
}

function judge(answer: PasswordAnswer, login: ReceivedLogin, challenge: string): Outcome {
  if ('refuse' in answer) return { errorText: answer.refuse };
  if ('accept' in answer) return { sessionKey: answer.accept.sessionKey };
  const password = answer.passwords[matchingPassword(login, challenge, answer.passwords)];
  return { sessionKey: password === undefined ? undefined : appSessionKey(challenge, password) };
}

function cookieOf(request: IncomingMessage): string {
  const match = /(?:^|;\s*)appws=([0-9a-f]{32})(?:;|$)/.exec(request.headers.cookie ?? '');
  return match?.[1] ?? '';
}

function reply(response: ServerResponse, status: number, message: JsonObject, cookie?: string): void {
  if (response.headersSent) return;
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Cache-Control': 'no-store',
    ...(cookie === undefined ? {} : { 'Set-Cookie': cookie }),
  });
  response.end(JSON.stringify(message));
}
