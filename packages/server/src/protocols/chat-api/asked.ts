import type { FastifyRequest } from 'fastify';
import type { IncomingMessage } from 'node:http';
import type { Directory, User } from '../../core/directory/index.ts';
import { demand } from '../../core/permissions/index.ts';
import { Problem } from '../../kit/index.ts';
import type { Caller, Callers } from './callers.ts';
import { badRequest, noAccount, noStream } from './errors.ts';
import { parseAddress } from './jid.ts';
import { MAX_IDEMPOTENCY_KEY_CHARS } from './limits.ts';
import type { Asked, Route } from './route.ts';
import type { LiveStream } from './stream.ts';
import type { Streams } from './streams.ts';

export interface AskedParts {
  readonly directory: Pick<Directory, 'user'>;
  readonly callers: Callers;
  readonly streams: Streams;
  readonly domain: string;
  readonly now: () => number;
}

/** Who asks, and about whom: the two spellings of OF §5.1 become one here. */
export class AskedRequest implements Asked {
  readonly caller: Caller;
  readonly idempotencyKey: string | null;
  readonly #parts: AskedParts;
  readonly #route: Route;
  readonly #request: FastifyRequest;

  /** @throws bad-request */
  constructor(parts: AskedParts, route: Route, request: FastifyRequest, caller: Caller) {
    this.caller = caller;
    this.idempotencyKey = idempotencyKeyOf(request);
    this.#parts = parts;
    this.#route = route;
    this.#request = request;
  }

  get raw(): IncomingMessage {
    return this.#request.raw;
  }

  live(): LiveStream | Promise<LiveStream> {
    const id = this.#streamId;
    if (id !== undefined) return this.#streamGiven(id);
    const account = this.#ownAccount();
    const live = account instanceof Promise ? account.then((own) => this.#streamOf(own)) : this.#streamOf(account);
    return live instanceof Promise ? live.then((found) => this.#inUse(found)) : this.#inUse(live);
  }

  async account(): Promise<User> {
    const id = this.#streamId;
    if (id !== undefined) return (await this.#streamGiven(id)).user;
    const user = await this.#ownAccount();
    this.#parts.streams.known(user.id)?.used(this.#parts.now());
    return user;
  }

  async named(text: string): Promise<User> {
    const { name, foreignDomain } = parseAddress(text, this.#parts.domain);
    const user = foreignDomain === null ? await this.#parts.directory.user({ by: 'name', value: name }) : null;
    if (user === null) throw new Problem('unknown-user', 'There is no such user.', { subject: text.slice(0, 128) });
    return user;
  }

  get #streamId(): string | undefined {
    return memberOf(this.#request.params, 'stream');
  }

  #ownAccount(): User | Promise<User> {
    const wanted = headerOf(this.#request, 'x-chat-user') ?? memberOf(this.#request.query, 'user') ?? '';
    if (wanted !== '') return this.#namedFor(wanted).then((user) => this.#allowed(user));
    if (this.caller.user === null) throw noAccount();
    return this.#allowed(this.caller.user);
  }

  /** Somebody who may act for nobody else learns nothing about who exists. */
  async #namedFor(text: string): Promise<User> {
    try {
      return await this.named(text);
    } catch (error) {
      if (error instanceof Problem && this.caller.user !== null) demand(this.caller.actor, { do: 'administer' });
      throw error;
    }
  }

  #allowed(user: User): User {
    demand(this.caller.actor, this.#route.permits(user));
    return user;
  }

  async #streamGiven(id: string): Promise<LiveStream> {
    const live = await this.#parts.streams.byId(id);
    if (live === null) throw noStream();
    this.#allowed(live.user);
    return this.#inUse(live);
  }

  #streamOf(user: User): LiveStream | Promise<LiveStream | null> {
    return this.#parts.streams.ofUser(user.id);
  }

  #inUse(live: LiveStream | null): LiveStream {
    if (live === null) throw noStream();
    live.used(this.#parts.now());
    return live;
  }
}

function idempotencyKeyOf(request: FastifyRequest): string | null {
  const key = headerOf(request, 'idempotency-key');
  if (key === undefined) return null;
  if (key === '' || key.length > MAX_IDEMPOTENCY_KEY_CHARS)
    throw badRequest('Idempotency-Key', `An idempotency key has 1 to ${MAX_IDEMPOTENCY_KEY_CHARS} characters.`);
  return key;
}

function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function memberOf(of: unknown, name: string): string | undefined {
  if (typeof of !== 'object' || of === null || !Object.hasOwn(of, name)) return undefined;
  const value: unknown = Reflect.get(of, name);
  return typeof value === 'string' ? value : undefined;
}
