import { createRequire } from 'node:module';
import { Client, Versions, type IMessage, type StompConfig } from '@stomp/stompjs';
import { WebSocket } from 'ws';
import { until } from '../../../../../../test/kit/wait.ts';

/** The part of `sockjs-client` that tests use; it has no types of its own. */
interface SockJsSocket {
  readonly transport?: string;
  readonly _transport?: { readonly url?: string };
}
type SockJsConstructor = new (url: string, reserved: null, options: { transports: string }) => SockJsSocket;
const SockJS = createRequire(import.meta.url)('sockjs-client') as SockJsConstructor;

export const TRANSPORTS = ['websocket', 'xhr-streaming', 'eventsource', 'xhr-polling'] as const;
export type Carrier = (typeof TRANSPORTS)[number] | 'plain';

/** A page as it is really built: `@stomp/stompjs` over `sockjs-client` or a plain WebSocket. */
export class Page {
  readonly client: Client;
  readonly carrier: Carrier;
  readonly got: IMessage[] = [];
  readonly receipts: string[] = [];
  readonly errors: string[] = [];
  headers: Readonly<Record<string, string>> = {};
  #socket: SockJsSocket | undefined;
  #closes = 0;

  constructor(port: number, carrier: Carrier, config: StompConfig & { readonly versions?: readonly string[] } = {}) {
    this.carrier = carrier;
    const { versions, ...stomp } = config;
    const url = `127.0.0.1:${port}/tapi-messenger`;
    this.client = new Client({
      connectHeaders: { login: 'mylogin', passcode: 'mypasswd' },
      reconnectDelay: 0,
      heartbeatIncoming: 10_000,
      heartbeatOutgoing: 10_000,
      ...(versions === undefined ? {} : { stompVersions: new Versions([...versions]) }),
      webSocketFactory: () => this.#open(url) as never,
      onConnect: (frame) => (this.headers = frame.headers),
      onStompError: (frame) => this.errors.push(frame.headers['message'] ?? ''),
      onWebSocketClose: () => this.#closes++,
      onUnhandledReceipt: (frame) => this.receipts.push(frame.headers['receipt-id'] ?? ''),
      ...stomp,
    });
  }

  get isConnected(): boolean {
    return this.client.connected;
  }

  get isClosed(): boolean {
    return this.#closes > 0;
  }

  /** What sockjs-client has chosen. */
  get transport(): string {
    return this.#socket?.transport ?? 'plain';
  }

  /** The name of the session as the seed document's page finds it, or from CONNECTED where there is no such URL. */
  get session(): string {
    const url = this.#socket?._transport?.url;
    if (url === undefined) return this.headers['session'] ?? '';
    return url
      .replace(/^.*\/tapi-messenger\//, '')
      .replace('/websocket', '')
      .replace(/^[0-9]+\//, '')
      .replace(/\/.*$/, '');
  }

  async connect(): Promise<this> {
    this.client.activate();
    await until(() => this.isConnected, `${this.carrier} connects`);
    return this;
  }

  subscribe(destination: string, headers: Readonly<Record<string, string>> = {}): void {
    this.client.subscribe(destination, (message) => this.got.push(message), { ...headers });
  }

  /** The steps of the seed document's page. */
  subscribeAll(applicationSession: string): void {
    this.subscribe(`/user/queue/incoming-call-user${this.session}`);
    this.subscribe('/topic/is-listen-init');
    this.subscribe(`/user/queue/incoming-call-user${applicationSession}`);
    this.subscribe('/topic/is-call-init');
  }

  send(destination: string, body: string, headers: Readonly<Record<string, string>> = {}): void {
    this.client.publish({ destination, body, headers: { ...headers } });
  }

  async take(text: string): Promise<IMessage> {
    return until(() => {
      const at = this.got.findIndex((message) => message.body.includes(text));
      return at < 0 ? undefined : this.got.splice(at, 1)[0];
    }, `${this.carrier}: a message with ${text}`);
  }

  /** Leaves without a word, as a tab that is closed. */
  async leave(): Promise<void> {
    this.client.forceDisconnect();
    await this.client.deactivate({ force: true });
  }

  async disconnect(): Promise<void> {
    await this.client.deactivate();
  }

  #open(url: string): unknown {
    if (this.carrier === 'plain')
      return new WebSocket(`ws://${url}/websocket`, ['v12.stomp', 'v11.stomp', 'v10.stomp']);
    this.#socket = new SockJS(`http://${url}`, null, { transports: this.carrier });
    return this.#socket;
  }
}
