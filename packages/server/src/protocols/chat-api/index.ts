import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { directoryStream, type UserId } from '../../core/journal/index.ts';
import { Problem, type Stop } from '../../kit/index.ts';
import { createCallers } from './callers.ts';
import { DEFAULT_CHAT_API_LIMITS } from './limits.ts';
import { Names } from './names.ts';
import { openApiOf } from './openapi.ts';
import type { ChatApiParts } from './parts.ts';
import { addRoutes, answerUnreadable, BASES, prepareScope, type RouterParts } from './router.ts';
import type { Route } from './route.ts';
import { callRoutes } from './routes/calls.ts';
import { contactRoutes } from './routes/contacts.ts';
import { type HistoryParts, historyRoutes } from './routes/history.ts';
import { type LoginParts, loginRoutes } from './routes/login.ts';
import { messageRoutes } from './routes/messages.ts';
import { presenceRoutes } from './routes/presence.ts';
import { userRoutes } from './routes/users.ts';
import { Encoder } from './sse/encode.ts';
import { EventStreams } from './sse/events-route.ts';
import { Streams } from './streams.ts';
import { createTokens } from './tokens.ts';

export { DEFAULT_CHAT_API_LIMITS, type ChatApiLimits } from './limits.ts';
export type { ChatApiObserver, ChatApiParts, ChatApiSettings } from './parts.ts';

export interface ChatApi {
  /** What is held now, for metrics. */
  figures(): { readonly chatStreams: number; readonly eventStreams: number; readonly waitingBytes: number };
  /** Writes down what was told. After `Http.close`, before the store ends. Idempotent. */
  close(): Promise<void>;
}

const API_VERSION = '1';
/** What the nodes tell each other of tickets. */
const SPENT = 'chat-api.spent';

/** Serves the Chat API: REST under its three prefixes, and event streams. */
export function mountChatApi(parts: ChatApiParts): ChatApi {
  const { http, directory, clock, ids, domain, settings, observer } = parts;
  const limits = { ...DEFAULT_CHAT_API_LIMITS, ...settings.limits };
  const names = new Names(directory);
  const nonce = (): string => ids.secret(72);
  const { peers } = parts.cluster;
  const spent = (told: string): void => peers.tell(SPENT, told);
  const tokens = createTokens({ key: settings.tokenKey, clock, ticketMs: limits.ticketMs, nonce, spent });
  const streams = new Streams({ ...parts, limits });
  const addressOf = (req: FastifyRequest['raw']): string => http.addresses.addressOf(req);
  const callers = createCallers({ ...parts, streams, tokens, addressOf, secret: settings.secret });
  const encoder = new Encoder(names, domain);
  const events = new EventStreams({ ...parts, callers, streams, tokens, encoder, limits });
  const routes = routesOf({ ...parts, callers, streams, tokens, names });
  const router: RouterParts = {
    directory,
    callers,
    streams,
    domain,
    now: () => clock.now(),
    origins: http.origins,
    observer,
  };
  mountRest(http.app, { routes, router, events });
  mountEvents(http.app, router, events);
  const stops = [
    followDirectory(parts, streams, names),
    peers.hear(SPENT, (told) => {
      if (typeof told === 'string') tokens.spentElsewhere(told);
    }),
  ];

  return {
    figures: () => ({ chatStreams: streams.size, eventStreams: events.size, waitingBytes: events.waitingBytes }),
    async close() {
      for (const stop of stops) stop();
      events.close();
      await streams.close();
    },
  };
}

function routesOf(parts: LoginParts & HistoryParts & ChatApiParts): readonly Route[] {
  return [
    ...loginRoutes(parts),
    ...messageRoutes(parts),
    ...historyRoutes(parts),
    ...presenceRoutes(parts),
    ...contactRoutes(parts),
    ...userRoutes(parts),
    ...callRoutes(parts),
  ];
}

/** Changed accounts and lists of contacts reach the streams that stand. */
function followDirectory({ delivery, observer }: ChatApiParts, streams: Streams, names: Names): Stop {
  return delivery.follow(directoryStream, ({ event }) => {
    if (event.kind === 'stream-ended')
      streams.ended(event).catch((error: unknown) => observer.trouble('ended chat stream', error));
    if (event.kind !== 'directory') return;
    const user = event.id as UserId;
    if (event.what === 'contact') for (const reader of streams.known(user)?.readers ?? []) reader.contactsChanged();
    if (event.what !== 'user') return;
    names.forget(user);
    streams.accountChanged(user).catch((error: unknown) => observer.trouble('changed account', error));
  });
}

interface Mounted {
  readonly routes: readonly Route[];
  readonly router: RouterParts;
  readonly events: EventStreams;
}

function mountRest(app: FastifyInstance, { routes, router, events }: Mounted): void {
  const document = JSON.stringify(openApiOf(routes, API_VERSION));
  for (const base of BASES) {
    answerUnreadable(app, base, router);
    app.register(
      (scope, _options, done) => {
        prepareScope(scope, router);
        addRoutes(scope, routes, router);
        scope.get('/openapi.json', (_request, reply) => reply.type('application/json; charset=utf-8').send(document));
        // OF §4.1: some documentation names this address.
        scope.get('/event/source', (request, reply) => serveEvents(events, request, reply));
        done();
      },
      { prefix: base },
    );
  }
}

function mountEvents(app: FastifyInstance, router: RouterParts, events: EventStreams): void {
  answerUnreadable(app, '/sse', router);
  app.register(
    (scope, _options, done) => {
      prepareScope(scope, router);
      for (const url of ['/', '/:user', '/:user/'])
        scope.get(url, (request, reply) => serveEvents(events, request, reply));
      done();
    },
    { prefix: '/sse' },
  );
}

/** OF §4.1: a 401 here tells browsers how to sign in; elsewhere it doesn't, which would open a dialog. */
async function serveEvents(events: EventStreams, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  try {
    await events.serve(request, reply);
  } catch (error) {
    if (error instanceof Problem && error.code === 'bad-credentials')
      reply.header('www-authenticate', 'Basic realm="ofchat"');
    throw error;
  }
}
