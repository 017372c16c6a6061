import type { FastifyRequest } from 'fastify';
import type { Directory, User } from '../../core/directory/index.ts';
import { demand } from '../../core/permissions/index.ts';
import { Problem } from '../../kit/index.ts';
import type { Callers } from './callers.ts';
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

/** Finds out who asks, and about whom: the two spellings of OF §5.1 become one here. */
export async function askedBy(parts: AskedParts, route: Route, request: FastifyRequest): Promise<Asked> {
  const caller = await parts.callers.require(request.raw);
  const streamId = memberOf(request.params, 'stream');

  async function named(text: string): Promise<User> {
    const { name, foreignDomain } = parseAddress(text, parts.domain);
    const user = foreignDomain === null ? await parts.directory.user({ by: 'name', value: name }) : null;
    if (user === null) throw new Problem('unknown-user', 'There is no such user.', { subject: text.slice(0, 128) });
    return user;
  }

  function ownAccount(): User | Promise<User> {
    const wanted = headerOf(request, 'x-chat-user') ?? memberOf(request.query, 'user') ?? '';
    if (wanted !== '') return namedFor(wanted).then(allowed);
    if (caller.user === null) throw noAccount();
    return allowed(caller.user);
  }

  /** Somebody who may act for nobody else learns nothing about who exists. */
  async function namedFor(text: string): Promise<User> {
    try {
      return await named(text);
    } catch (error) {
      if (error instanceof Problem && caller.user !== null) demand(caller.actor, { do: 'administer' });
      throw error;
    }
  }

  function allowed(user: User): User {
    demand(caller.actor, route.permits(user));
    return user;
  }

  async function streamGiven(id: string): Promise<LiveStream> {
    const live = await parts.streams.byId(id);
    if (live === null) throw noStream();
    allowed(live.user);
    live.used(parts.now());
    return live;
  }

  async function streamOwn(): Promise<LiveStream> {
    const live = await parts.streams.ofUser((await ownAccount()).id);
    if (live === null) throw noStream();
    live.used(parts.now());
    return live;
  }

  return {
    caller,
    raw: request.raw,
    idempotencyKey: idempotencyKeyOf(request),
    named,
    live: () => (streamId === undefined ? streamOwn() : streamGiven(streamId)),
    async account() {
      if (streamId !== undefined) return (await streamGiven(streamId)).user;
      const user = await ownAccount();
      parts.streams.known(user.id)?.used(parts.now());
      return user;
    },
  };
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
