import type { Call, Message, Person, Session, Show } from '../state/model.ts';
import type { PresenceChange } from '../state/people.ts';
import * as wire from './wire.ts';

/** The only file that talks to the network: the Chat API (docs/chat-api.md). */

const BASE = '/restapi/v1/chat';
/** Longer than any answer takes; then the request counts as lost, and is repeated with the same key where it has an effect. */
const REQUEST_MS = 15_000;
const EVENTS = ['chat', 'sent', 'presence', 'call', 'callrecord', 'reset', 'end'] as const;
export type EventName = (typeof EVENTS)[number];

/** A request that did not do. `status` 0: no answer came, and nobody knows whether it was applied. */
export class RequestError extends Error {
  readonly status: number;
  readonly retryAfterMs: number | null;

  constructor(message: string, details: { readonly status: number; readonly retryAfterMs?: number | null }) {
    super(message);
    this.name = 'RequestError';
    this.status = details.status;
    this.retryAfterMs = details.retryAfterMs ?? null;
  }

  /** The same request may do later. */
  get isPassing(): boolean {
    return this.status === 0 || this.status === 429 || (this.status >= 500 && this.status !== 501);
  }
}

export interface EventHandlers {
  readonly opened: () => void;
  /** `isFinal`: the browser won't come back by itself. */
  readonly lost: (isFinal: boolean) => void;
  /** `id` is the position to come back with; empty where the event has none. */
  readonly event: (name: EventName, data: unknown, id: string) => void;
}

export type Client = ReturnType<typeof createClient>;

interface Ask {
  readonly method?: 'GET' | 'POST';
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Signs in. @throws RequestError: 401 name or password is wrong */
export async function signIn(name: string, password: string): Promise<Session> {
  const user = name.trim().toLowerCase();
  const credentials = new TextEncoder().encode(`${user}:${password}`);
  const authorization = `Basic ${btoa(String.fromCharCode(...credentials))}`;
  const answer = await request(`/${encodeURIComponent(user)}/login`, { method: 'POST', headers: { authorization } });
  const token = answer.headers.get('x-session-token');
  if (token === null) throw new RequestError('The server gave no session.', { status: answer.status });
  return { name: user, stream: await answer.text(), token };
}

async function request(path: string, { method = 'GET', body, headers = {} }: Ask): Promise<Response> {
  let answer: Response;
  try {
    const signal = AbortSignal.timeout(REQUEST_MS);
    answer = await fetch(`${BASE}${path}`, {
      method,
      headers: { accept: '*/*', ...headers },
      signal,
      body: body ?? null,
    });
  } catch (error) {
    if (error instanceof TypeError || error instanceof DOMException)
      throw new RequestError('The server is not reachable.', { status: 0 });
    throw error;
  }
  if (answer.ok) return answer;
  const retryAfter = Number(answer.headers.get('retry-after') ?? Number.NaN);
  throw new RequestError((await errorText(answer)) || `The server refused it (${answer.status}).`, {
    status: answer.status,
    retryAfterMs: Number.isFinite(retryAfter) ? retryAfter * 1_000 : null,
  });
}

async function errorText(answer: Response): Promise<string> {
  try {
    return wire.errorTextOf(await answer.json());
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return '';
    throw error;
  }
}

/** What a signed-in user can ask for. Every method rejects with a RequestError. */
export function createClient({ name: me, stream, token }: Session) {
  const authorized = (ask: Ask = {}): Ask => ({
    ...ask,
    headers: { ...ask.headers, authorization: `Bearer ${token}` },
  });
  const get = async (path: string): Promise<unknown> => {
    const answer = await request(path, authorized({ headers: { accept: 'application/json' } }));
    return await answer.json();
  };
  const post = (path: string, body = '', headers: Ask['headers'] = {}): Promise<Response> =>
    request(path, authorized({ method: 'POST', body, headers }));
  const act = async (path: string, body = '', headers: Ask['headers'] = {}): Promise<void> => {
    // Read to its end, the connection serves the next request.
    await (await post(path, body, headers)).text();
  };
  const json = { 'content-type': 'application/json' };
  const once = (key: string) => ({ 'idempotency-key': key });
  const at = encodeURIComponent;

  return {
    me,
    users: async (): Promise<readonly Pick<Person, 'name' | 'displayName' | 'number'>[]> =>
      wire.usersOf(await get('/users?search=*&limit=500')),
    contacts: async (): Promise<readonly wire.ListedContact[]> => wire.contactsOf(await get('/contacts')),
    addContact: (name: string): Promise<void> => act(`/contacts/${at(name)}`),
    presence: async (name: string): Promise<PresenceChange> =>
      wire.presenceOf(await get(name === me ? '/presence' : `/presence/${at(name)}`)),
    setPresence: (show: Show, status: string): Promise<void> =>
      act(`/presence?${new URLSearchParams({ show, status }).toString()}`),
    /** The newest messages, or those before one; oldest first. */
    async history(page: {
      readonly peer?: string;
      readonly before?: string;
      readonly max: number;
    }): Promise<readonly Message[]> {
      const query = new URLSearchParams({ max: String(page.max) });
      if (page.peer !== undefined) query.set('to', page.peer);
      if (page.before !== undefined) query.set('before', page.before);
      return wire.messagesOf(await get(`/messages?${query.toString()}`), me);
    },
    /** Sends; with the same key again, nothing more happens. @returns the message's id */
    async send(peer: string, text: string, key: string): Promise<string> {
      // A text that is a JSON object by itself would be taken for one.
      const body = text.trimStart().startsWith('{') ? JSON.stringify({ body: text }) : text;
      const answer = await post(`/messages/${at(peer)}`, body, { 'content-type': 'text/plain', ...once(key) });
      await answer.text();
      return answer.headers.get('x-message-id') ?? '';
    },
    chatState: (peer: string, state: 'composing' | 'paused' | 'active'): Promise<void> =>
      act(`/chatstate/${state}/${at(peer)}`),
    calls: async (): Promise<readonly Call[]> => wire.callsOf(await get('/calls')),
    callHistory: async (): Promise<readonly Call[]> => wire.callsOf(await get('/calls/history?max=50')),
    dial: (to: string, key: string): Promise<void> => act('/calls', JSON.stringify({ to }), { ...json, ...once(key) }),
    answer: (call: string): Promise<void> => act(`/calls/${at(call)}/answer`),
    hangUp: (call: string): Promise<void> => act(`/calls/${at(call)}/hangup`),
    signOut: (): Promise<void> => act(`/${at(stream)}/logoff`),
    /** Opens the event stream, after the event `since`. @returns what closes it */
    events: (since: string, handlers: EventHandlers): (() => void) => openEvents(me, since, handlers),
  };
}

function openEvents(me: string, since: string, handlers: EventHandlers): () => void {
  const query = since === '' ? '' : `?${new URLSearchParams({ lastEventId: since }).toString()}`;
  const source = new EventSource(`/sse/${encodeURIComponent(me)}${query}`);
  source.addEventListener('open', () => handlers.opened());
  source.addEventListener('error', () => handlers.lost(source.readyState === EventSource.CLOSED));
  for (const name of EVENTS)
    source.addEventListener(`chatapi.${name}`, (event: MessageEvent<string>) => {
      handlers.event(name, JSON.parse(event.data), event.lastEventId);
    });
  return () => source.close();
}
