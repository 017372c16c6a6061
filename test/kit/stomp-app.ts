import { createRequire } from 'node:module';
import { Client, type IMessage, type StompHeaders } from '@stomp/stompjs';
import { baseOf, type Place } from './place.ts';
import { until } from './wait.ts';

/** `sockjs-client` has no types of its own: this is the part of a WebSocket that stompjs uses. */
type SockJsConstructor = new (url: string, reserved: null, options: { transports: string[] }) => WebSocket;
const SockJS = createRequire(import.meta.url)('sockjs-client') as SockJsConstructor;

export type Transport = 'websocket' | 'xhr-streaming' | 'eventsource' | 'xhr-polling';

export interface StompFrame {
  readonly destination: string;
  readonly headers: StompHeaders;
  readonly body: string;
  /** The body as JSON; undefined where it is none. */
  readonly json: Record<string, unknown> | undefined;
}

/** A page with `@stomp/stompjs` over `sockjs-client`. */
export class StompApp implements AsyncDisposable {
  readonly client: Client;
  readonly frames: StompFrame[] = [];
  readonly receipts = new Map<string, StompHeaders>();
  readonly errors: StompFrame[] = [];
  connected: StompHeaders | null = null;
  closes = 0;
  #next = 1;
  #taken = 0;

  private constructor(place: Place, headers: StompHeaders, transport: Transport) {
    this.client = new Client({
      webSocketFactory: () => new SockJS(`${baseOf(place)}/tapi-messenger`, null, { transports: [transport] }),
      connectHeaders: headers,
      reconnectDelay: 0,
      heartbeatIncoming: 0,
      heartbeatOutgoing: 0,
      onConnect: (frame) => (this.connected = frame.headers),
      onStompError: (frame) => this.errors.push(frameOf('ERROR', frame)),
      onWebSocketClose: () => this.closes++,
    });
  }

  static async open(place: Place, headers: StompHeaders = {}, transport: Transport = 'websocket'): Promise<StompApp> {
    const app = new StompApp(place, headers, transport);
    app.client.activate();
    await until(() => app.connected !== null || app.closes > 0, 'CONNECTED');
    return app;
  }

  static signIn(place: Place, login: string, transport?: Transport): Promise<StompApp> {
    return StompApp.open(place, { login, passcode: 'demo' }, transport);
  }

  /** Everything that comes on `destination` goes to `frames`. */
  subscribe(destination: string, headers: StompHeaders = {}): void {
    this.client.subscribe(destination, (message) => this.frames.push(frameOf(destination, message)), headers);
  }

  /** Sends and waits for the receipt. @returns the receipt's headers */
  async send(destination: string, body: unknown, headers: StompHeaders = {}): Promise<StompHeaders> {
    const receipt = `r-${this.#next++}`;
    this.client.watchForReceipt(receipt, (frame) => this.receipts.set(receipt, frame.headers));
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    this.client.publish({ destination, body: text, headers: { ...headers, receipt } });
    return until(() => this.receipts.get(receipt), 'the receipt');
  }

  /** The next frame that fits; those before it count as seen. */
  take(fits: (frame: StompFrame) => boolean): Promise<StompFrame> {
    return until(() => {
      const at = this.frames.findIndex((frame, i) => i >= this.#taken && fits(frame));
      if (at < 0) return undefined;
      this.#taken = at + 1;
      return this.frames[at];
    }, 'a frame');
  }

  /** Chat messages that came, in order. */
  get messages(): readonly StompFrame[] {
    return this.frames.filter((frame) => frame.destination === '/user/queue/messages');
  }

  /** Breaks the connection, as a lost network does. */
  drop(): void {
    this.client.forceDisconnect();
  }

  async close(): Promise<void> {
    await this.client.deactivate();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function frameOf(destination: string, { headers, body }: Pick<IMessage, 'headers' | 'body'>): StompFrame {
  return { destination, headers, body, json: jsonOf(body) };
}

function jsonOf(body: string): Record<string, unknown> | undefined {
  return body.startsWith('{') ? (JSON.parse(body) as Record<string, unknown>) : undefined;
}
