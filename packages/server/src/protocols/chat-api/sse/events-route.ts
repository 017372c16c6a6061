import type { FastifyReply, FastifyRequest } from 'fastify';
import { formatResume, parseResume, type UserId } from '../../../core/journal/index.ts';
import { every, Problem } from '../../../kit/index.ts';
import type { Callers } from '../callers.ts';
import type { Delivery } from '../../../delivery/index.ts';
import { noEventStream, notAcceptable } from '../errors.ts';
import type { ChatApiLimits } from '../limits.ts';
import type { ChatApiParts } from '../parts.ts';
import type { LiveStream } from '../stream.ts';
import type { Streams } from '../streams.ts';
import type { Tokens } from '../tokens.ts';
import { ContactWatch, type ContactWatchParts } from './contact-watch.ts';
import { admit, textOf } from './admission.ts';
import { sessionCookie } from './cookie.ts';
import type { Encoder } from './encode.ts';
import { type ReaderParts, SseReader } from './reader.ts';

export interface EventsParts extends ChatApiParts {
  readonly callers: Callers;
  readonly streams: Streams;
  readonly tokens: Tokens;
  readonly encoder: Encoder;
  readonly limits: ChatApiLimits;
}

/** While the node stops, clients come back within this, not all at once. */
const RESTART_SPREAD_MS = 4_000;

/** All open event streams of this node (OF §4). */
export class EventStreams {
  readonly #parts: EventsParts;
  readonly #readers = new Set<SseReader>();
  readonly #ofReaders: ReaderParts;
  readonly #ofContacts: ContactWatchParts;
  readonly #stops: readonly (() => void)[];
  #isStopping = false;

  constructor(parts: EventsParts) {
    this.#parts = parts;
    this.#ofReaders = {
      encoder: parts.encoder,
      http: parts.http,
      limits: parts.limits,
      observer: parts.observer,
      pauseAtBytes: parts.limits.pauseAtBytes,
      now: () => parts.clock.now(),
      atTurnEnd: (run) => parts.http.atTurnEnd(run),
      listen: (reader, signal) => void this.#listen(reader, signal),
      onGone: (reader) => {
        this.#readers.delete(reader);
        parts.observer.closed();
      },
    };
    this.#ofContacts = {
      directory: parts.directory,
      presence: parts.presence,
      failed: (error) => parts.observer.trouble('presence of contacts', error),
    };
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
    const { live, isByTicket } = await admit(this.#parts, request);
    if (request.method === 'HEAD') return void reply.headers(HEAD).send();
    const stands = resumeOf(request) !== null || (await this.#parts.streams.catchUp(live));
    if (!stands) throw noEventStream(live.user.name);
    // Meanwhile the peer may have gone.
    if (reply.raw.destroyed) return void reply.hijack();
    this.#open(live, request, reply, isByTicket);
  }

  close(): void {
    for (const stop of this.#stops) stop();
    for (const reader of [...this.#readers]) reader.destroy();
  }

  #open(live: LiveStream, request: FastifyRequest, reply: FastifyReply, isByTicket: boolean): void {
    const { parts, response } = { parts: this.#parts, response: reply.raw };
    const reader = new SseReader(this.#ofReaders, live, response);
    const from = startingPoint(request, live);
    const session = parts.delivery.open({ user: live.user.id, from, sink: reader });
    this.#readers.add(reader);
    live.readers.add(reader);
    live.used(parts.clock.now());
    parts.observer.opened();
    if (isByTicket) this.#setCookie(request, reply, live);
    reply.hijack();
    // Not one by one: the response would keep them as long as it is open.
    const fields = Object.entries({ ...reply.getHeaders(), ...HEAD });
    response.writeHead(
      200,
      fields.flatMap(([name, value]) => (value === undefined ? [] : [name, value])),
    );
    response.flushHeaders();
    reader.start(session, new ContactWatch(this.#ofContacts, reader), tokenOf(from, session.resume));
    // It came in while the node began to stop: nobody else would ask it to come back.
    if (this.#isStopping) reader.restart(restartMs());
  }

  /** Without a telephone system there are no calls. */
  async #listen(reader: SseReader, signal: AbortSignal): Promise<void> {
    const { live } = reader;
    try {
      await this.#parts.calls.listenUser(ownerOf(live), live.user.id, reader.call, { signal });
    } catch (error) {
      const isExpected =
        error instanceof Problem && ['no-number', 'invalid-number', 'engine-unavailable'].includes(error.code);
      if (!isExpected) this.#parts.observer.trouble('calls on an event stream', error);
    }
  }

  #setCookie(request: FastifyRequest, reply: FastifyReply, live: LiveStream): void {
    const options = { user: live.user.id, isSecure: this.#parts.http.addresses.isSecure(request.raw) };
    reply.header('set-cookie', sessionCookie(this.#parts.tokens.session(live.id), options));
  }

  #restart(): void {
    this.#isStopping = true;
    for (const reader of [...this.#readers]) reader.restart(restartMs());
  }
}

function restartMs(): number {
  return 1_000 + Math.floor(Math.random() * RESTART_SPREAD_MS);
}

type StartingPoint = Parameters<Delivery['open']>[0]['from'];

/** The token of a starting point that the client doesn't have. @param now that of this moment */
function tokenOf(from: StartingPoint, now: string): string | null {
  if (from === 'now') return now;
  return 'position' in from ? formatResume(parseResume(now).epoch, from.position) : null;
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

/** The last event that the client has; null: it doesn't know. @throws bad-request */
function resumeOf(request: FastifyRequest): string | null {
  const header = request.headers['last-event-id'];
  const token = typeof header === 'string' && header !== '' ? header : textOf(request.query, 'lastEventId');
  return token === '' ? null : token;
}

/**
 * Where telling begins: after the last event that the client has, else with what was told to nobody yet. A user without the
 * storage right gets no messages of while nobody was there (design §6).
 */
function startingPoint(request: FastifyRequest, live: LiveStream): StartingPoint {
  const resume = resumeOf(request);
  if (resume !== null) return { resume };
  return live.user.hasStorage ? { position: live.cursor } : 'now';
}
