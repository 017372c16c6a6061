import type { FastifyReply, FastifyRequest } from 'fastify';
import type { User } from '../../../core/directory/index.ts';
import type { UserId } from '../../../core/journal/index.ts';
import { demand } from '../../../core/permissions/index.ts';
import { every, Problem } from '../../../kit/index.ts';
import type { Caller, Callers } from '../callers.ts';
import { badRequest, noAccount, noEventStream, notAcceptable, notSignedIn } from '../errors.ts';
import { parseAddress } from '../jid.ts';
import type { ChatApiLimits } from '../limits.ts';
import type { ChatApiParts } from '../parts.ts';
import type { LiveStream } from '../stream.ts';
import type { Streams } from '../streams.ts';
import type { Tokens } from '../tokens.ts';
import { ContactWatch } from './contact-watch.ts';
import { cookieOf, sessionCookie } from './cookie.ts';
import type { Encoder } from './encode.ts';
import { SseReader } from './reader.ts';

export interface EventsParts extends ChatApiParts {
  readonly callers: Callers;
  readonly streams: Streams;
  readonly tokens: Tokens;
  readonly encoder: Encoder;
  readonly limits: ChatApiLimits;
}

/** While the node stops, clients come back within this, not all at once. */
const RESTART_SPREAD_MS = 4_000;

interface Wanted {
  readonly live: LiveStream;
  /** The browser's cookie is to be set: it came with a ticket, which is spent now. */
  readonly isByTicket: boolean;
}

/** All open event streams of this node (OF §4). */
export class EventStreams {
  readonly #parts: EventsParts;
  readonly #readers = new Set<SseReader>();
  readonly #stops: readonly (() => void)[];

  constructor(parts: EventsParts) {
    this.#parts = parts;
    const checks = every(parts.clock, parts.limits.keepAliveMs / 2, () => {
      for (const reader of this.#readers) reader.check();
    });
    this.#stops = [() => checks.cancel(), parts.http.onDrain(() => this.#restart())];
  }

  get size(): number {
    return this.#readers.size;
  }

  /** Held for all readers together. */
  get waitingBytes(): number {
    return [...this.#readers].reduce((sum, reader) => sum + reader.waitingBytes, 0);
  }

  /** `GET /sse/{user}` and its aliases. @throws what refuses it, before anything is written */
  async serve(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    if (!acceptsEvents(request.headers.accept)) throw notAcceptable('text/event-stream');
    const { live, isByTicket } = await this.#wanted(request);
    if (request.method === 'HEAD') return void reply.headers(HEAD).send();
    // Between the look-up and now the peer may have gone.
    if (reply.raw.destroyed) return void reply.hijack();
    this.#open(live, request, reply, isByTicket);
  }

  close(): void {
    for (const stop of this.#stops) stop();
    for (const reader of [...this.#readers]) reader.destroy();
  }

  #open(live: LiveStream, request: FastifyRequest, reply: FastifyReply, isByTicket: boolean): void {
    const { parts, response } = { parts: this.#parts, response: reply.raw };
    const reader = new SseReader({
      response,
      live,
      encoder: parts.encoder,
      atTurnEnd: (run) => parts.http.atTurnEnd(run),
      now: () => parts.clock.now(),
      limits: parts.limits,
      observer: parts.observer,
      listen: (own, signal) => void this.#listen(live, own, signal),
      onGone: (gone) => {
        this.#readers.delete(gone);
        parts.observer.closed();
      },
    });
    const session = parts.delivery.open({ user: live.user.id, from: startingPoint(request, live), sink: reader });
    this.#readers.add(reader);
    live.readers.add(reader);
    live.used(parts.clock.now());
    parts.observer.opened();
    if (isByTicket) this.#setCookie(request, reply, live);
    reply.hijack();
    for (const [name, value] of Object.entries({ ...reply.getHeaders(), ...HEAD }))
      if (value !== undefined) response.setHeader(name, value);
    response.writeHead(200);
    response.flushHeaders();
    reader.start(session, this.#watchContacts(live, reader));
  }

  #watchContacts(live: LiveStream, reader: SseReader): ContactWatch {
    return new ContactWatch({
      directory: this.#parts.directory,
      presence: this.#parts.presence,
      actor: ownerOf(live),
      user: live.user.id,
      tell: reader.presence,
      failed: (error) => this.#parts.observer.trouble('presence of contacts', error),
    });
  }

  /** An event stream is a listener of its user's number (design §8). Without a number, or a telephone system, there are no calls. */
  async #listen(live: LiveStream, reader: SseReader, signal: AbortSignal): Promise<void> {
    if (live.user.number === null) return;
    try {
      await this.#parts.calls.listenUser(ownerOf(live), live.user.id, reader.call, { signal });
    } catch (error) {
      const isExpected =
        error instanceof Problem && ['no-number', 'invalid-number', 'engine-unavailable'].includes(error.code);
      if (!isExpected) this.#parts.observer.trouble('calls on an event stream', error);
    }
  }

  async #wanted(request: FastifyRequest): Promise<Wanted> {
    const { ticket, path } = wishOf(request);
    const account = path === null ? null : await this.#accountNamed(path);
    const isHeader = (request.headers.authorization ?? '') !== '';
    if (isHeader)
      return {
        live: await this.#byCaller(await this.#parts.callers.require(request.raw), path, account),
        isByTicket: false,
      };
    if (ticket !== null) {
      const spent = this.#parts.tokens.spend(ticket);
      const live = spent === null ? null : await this.#parts.streams.byId(spent);
      if (live !== null && (path === null || live.user.id === account?.id)) return { live, isByTicket: true };
    }
    return { live: await this.#byCookie(request, ticket, account), isByTicket: false };
  }

  async #byCaller(caller: Caller, path: string | null, account: User | null): Promise<LiveStream> {
    const user = path === null ? caller.user : account;
    if (path === null && user === null) throw noAccount();
    // A stranger learns nothing about who exists.
    if (user === null) demand(caller.actor, { do: 'administer' });
    else demand(caller.actor, { do: 'receive', of: user.id });
    const live = user === null ? null : await this.#parts.streams.ofUser(user.id);
    if (live === null) throw noEventStream(user?.name ?? path ?? '');
    return live;
  }

  /** A browser: its cookie must be the one of the stream that stands now. One that was good once gets 404, so that it stops. */
  async #byCookie(request: FastifyRequest, ticket: string | null, account: User | null): Promise<LiveStream> {
    const asked = ticket === null ? null : this.#parts.tokens.streamOf(ticket);
    const byTicket = asked === null ? null : await this.#parts.streams.byId(asked);
    const user = byTicket?.user ?? account;
    const token = user === null ? null : cookieOf(request.headers.cookie, user.id);
    const signed = token === null ? null : this.#parts.tokens.openSession(token);
    if (user === null || signed === null) throw notSignedIn();
    const live = byTicket ?? (await this.#parts.streams.ofUser(user.id));
    if (live?.id !== signed) throw noEventStream(user.name);
    return live;
  }

  async #accountNamed(path: string): Promise<User | null> {
    const { name, foreignDomain } = parseAddress(path, this.#parts.domain);
    return foreignDomain === null ? this.#parts.directory.user({ by: 'name', value: name }) : null;
  }

  #setCookie(request: FastifyRequest, reply: FastifyReply, live: LiveStream): void {
    const options = { user: live.user.id, isSecure: this.#parts.http.addresses.isSecure(request.raw) };
    reply.header('set-cookie', sessionCookie(this.#parts.tokens.session(live.id), options));
  }

  #restart(): void {
    for (const reader of [...this.#readers]) reader.restart(1_000 + Math.floor(Math.random() * RESTART_SPREAD_MS));
  }
}

/** OF §4.1. A stream ends its connection, so nothing waits behind it. */
const HEAD: Readonly<Record<string, string>> = {
  'content-type': 'text/event-stream;charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
  'x-content-type-options': 'nosniff',
  connection: 'close',
};

function acceptsEvents(accept: string | undefined): boolean {
  if (accept === undefined || accept.trim() === '') return true;
  return accept.split(',').some((range) => {
    const type = range.split(';', 1)[0]?.trim().toLowerCase() ?? '';
    return type === 'text/event-stream' || type === 'text/*' || type === '*/*';
  });
}

/** Events are the owner's, whoever opened the stream. */
function ownerOf(live: LiveStream): { readonly kind: 'user'; readonly user: UserId; readonly admin: false } {
  return { kind: 'user', user: live.user.id, admin: false };
}

/**
 * Where telling begins: after the last event that the client has, else with what was told to nobody yet. A user without the
 * storage right gets no messages of while nobody was there (design §6).
 */
function startingPoint(
  request: FastifyRequest,
  live: LiveStream,
): { readonly resume: string } | { readonly position: number } | 'now' {
  const header = request.headers['last-event-id'];
  const token = typeof header === 'string' && header !== '' ? header : textOf(request.query, 'lastEventId');
  if (token !== null && token !== '') return { resume: token };
  return live.user.hasStorage ? { position: live.cursor } : 'now';
}

function wishOf(request: FastifyRequest): { readonly ticket: string | null; readonly path: string | null } {
  return { ticket: textOf(request.query, 'ticket'), path: textOf(request.params, 'user') };
}

/** A text member of a parsed query or path. @throws bad-request where it stands there twice */
function textOf(of: unknown, name: string): string | null {
  if (typeof of !== 'object' || of === null || !(name in of)) return null;
  const value: unknown = Object.entries(of).find(([key]) => key === name)?.[1];
  if (typeof value !== 'string') throw badRequest(name, 'This parameter is a single text.');
  return value;
}
