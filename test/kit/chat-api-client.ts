import { EventSource } from 'eventsource';
import { until } from './wait.ts';

/** What JSON holds, unchecked: tests look at it. */
type Loose = ReturnType<typeof JSON.parse>;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; throws where it is none. */
  readonly json: Loose;
}

export interface SseEvent {
  readonly event: string;
  readonly id: string;
  readonly data: Loose;
}

const EVENTS = [
  'ready',
  'chat',
  'sent',
  'notify',
  'presence',
  'call',
  'callrecord',
  'reset',
  'end',
  'muc',
  'ask',
  'assist',
];

/** A client of the Chat API as somebody writes it who has read its document: `fetch` and `eventsource`. */
export class ChatApiClient {
  readonly url: string;
  readonly base: string;
  readonly name: string;
  readonly authorization: string;
  /** The chat stream, after `login`. */
  stream = '';
  token = '';
  cookie = '';

  constructor(url: string, name: string, options: { password?: string; base?: string; authorization?: string } = {}) {
    this.url = url;
    this.base = `${url}${options.base ?? '/restapi/v1'}`;
    this.name = name;
    this.authorization =
      options.authorization ?? `Basic ${Buffer.from(`${name}:${options.password ?? 'demo'}`).toString('base64')}`;
  }

  static async signIn(url: string, name: string): Promise<ChatApiClient> {
    const client = new ChatApiClient(url, name);
    const answer = await client.login();
    if (answer.status !== 200) throw new Error(`login of ${name}: ${answer.status} ${answer.text}`);
    return client;
  }

  async login(password = ''): Promise<Answer> {
    const answer = await this.ask('POST', `/chat/${this.name}/login`, password);
    if (answer.status === 200) {
      this.stream = answer.text;
      this.token = answer.headers.get('x-session-token') ?? '';
      this.cookie = (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    }
    return answer;
  }

  /** `path` below the base; an object is sent as JSON. */
  async ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await fetch(this.base + path, {
      method,
      headers: { authorization: this.authorization, ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      get json() {
        return JSON.parse(text);
      },
    };
  }

  /** Sends a message; its id. */
  async say(to: string, text: unknown, headers: Record<string, string> = {}): Promise<string> {
    const answer = await this.ask('POST', `/chat/messages/${to}`, text, headers);
    if (answer.status !== 200) throw new Error(`message: ${answer.status} ${answer.text}`);
    return answer.headers.get('x-message-id') ?? '';
  }

  /** Messages of the history, oldest first. */
  async history(path: string): Promise<readonly Loose[]> {
    const answer = await this.ask('GET', path);
    if (answer.status !== 200) throw new Error(`history: ${answer.status} ${answer.text}`);
    return answer.json.conversation.flatMap((talk: Loose) => talk.messages.message);
  }

  /** Opens the event stream and waits until it stands. */
  async events(
    options: { lastEventId?: string; path?: string; headers?: Record<string, string> } = {},
  ): Promise<EventLog> {
    const log = new EventLog(`${this.url}${options.path ?? `/sse/${this.name}`}`, {
      ...(options.headers ?? { authorization: this.authorization }),
      ...(options.lastEventId === undefined ? {} : { 'last-event-id': options.lastEventId }),
    });
    await until(() => log.opened > 0 || log.failure !== null, 'event stream');
    return log;
  }
}

/** Everything that an event stream has told. Reconnects by itself, as the library and browsers do. */
export class EventLog implements AsyncDisposable {
  readonly all: SseEvent[] = [];
  readonly source: EventSource;
  /** Names of events that came without one: there should be none. */
  unnamed = 0;
  opened = 0;
  /** Status that ended it for good. */
  failure: number | null = null;

  constructor(url: string, headers: Record<string, string>) {
    let first: Record<string, string> = headers;
    this.source = new EventSource(url, {
      fetch: (input, init) => {
        // `last-event-id` of the first request is ours; later ones are the library's.
        const response = fetch(input, { ...init, headers: { ...first, ...init.headers } });
        const { ['last-event-id']: _own, ...rest } = first;
        first = rest;
        return response;
      },
    });
    this.source.onopen = () => {
      this.opened++;
    };
    this.source.onerror = (event) => {
      if (event.code !== undefined) this.failure = event.code;
    };
    this.source.onmessage = () => {
      this.unnamed++;
    };
    for (const name of EVENTS)
      this.source.addEventListener(`chatapi.${name}`, (event) =>
        this.all.push({ event: name, id: event.lastEventId, data: JSON.parse(event.data) }),
      );
  }

  of(...names: readonly string[]): readonly SseEvent[] {
    return this.all.filter(({ event }) => names.includes(event));
  }

  /** The bodies of messages in the order of their coming. */
  get bodies(): readonly string[] {
    return this.of('chat')
      .map(({ data }) => data.body)
      .filter((body) => body !== undefined);
  }

  get lastId(): string {
    return this.all.findLast(({ id }) => id !== '')?.id ?? '';
  }

  take(fits: (event: SseEvent) => boolean, what = 'event'): Promise<SseEvent> {
    return until(() => this.all.find(fits), what);
  }

  close(): void {
    this.source.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}
