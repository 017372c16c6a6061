import { WebSocket } from 'ws';
import { until } from '../../../../../../test/kit/wait.ts';

/** A STOMP client that hides nothing: whole messages as they came over a plain WebSocket, or over SockJS's. */
export class RawStomp {
  readonly ws: WebSocket;
  readonly messages: string[] = [];
  closed: { readonly code: number; readonly reason: string } | undefined;
  readonly #isFramed: boolean;

  /** `session`: a SockJS WebSocket of this name; without it the plain one. */
  constructor(port: number, session?: string) {
    const path = session === undefined ? '/websocket' : `/000/${session}/websocket`;
    this.#isFramed = session !== undefined;
    this.ws = new WebSocket(`ws://127.0.0.1:${port}/tapi-messenger${path}`);
    this.ws.on('message', (data: Buffer) => this.#received(data.toString()));
    this.ws.on('error', () => undefined);
    this.ws.on('close', (code, reason) => (this.closed = { code, reason: reason.toString() }));
  }

  static async connect(port: number, connect = 'CONNECT\naccept-version:1.2\n', session?: string): Promise<RawStomp> {
    const client = new RawStomp(port, session);
    await client.opened();
    client.send(`${connect}\n`);
    await client.take('CONNECTED');
    return client;
  }

  async opened(): Promise<void> {
    if (this.ws.readyState === WebSocket.OPEN) return;
    await new Promise((resolve, reject) => {
      this.ws.once('open', resolve);
      this.ws.once('error', reject);
    });
  }

  /** Sends a frame; its NUL is added. */
  send(frame: string): void {
    this.sendText(`${frame}\0`);
  }

  sendText(text: string): void {
    this.ws.send(this.#isFramed ? JSON.stringify([text]) : text);
  }

  /** Takes out the first message that contains all of these texts. */
  async take(...texts: readonly string[]): Promise<string> {
    return until(
      () => {
        const at = this.messages.findIndex((message) => texts.every((text) => message.includes(text)));
        return at < 0 ? undefined : this.messages.splice(at, 1)[0];
      },
      `a message with ${texts.join(' ')}; there are ${JSON.stringify(this.messages)}`,
    );
  }

  /** Sends a frame with a receipt, and resolves when that has come: everything before it is done (TM ST-20). */
  async settle(): Promise<void> {
    const receipt = `settled-${Math.random()}`;
    this.send(`UNSUBSCRIBE\nid:no-such\nreceipt:${receipt}\n\n`);
    await this.take('RECEIPT', receipt);
  }

  /** Resolves when the server has had what was sent before, though it may not have finished with it. */
  async heard(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.ws.once('pong', () => resolve());
      this.ws.ping();
    });
  }

  async subscribe(id: string, destination: string, more = ''): Promise<void> {
    this.send(`SUBSCRIBE\nid:${id}\ndestination:${destination}\n${more}\n`);
    await this.settle();
  }

  async over(): Promise<{ readonly code: number; readonly reason: string }> {
    return until(() => this.closed, 'the close', 5_000);
  }

  async close(): Promise<void> {
    this.ws.close();
    await this.over();
  }

  #received(text: string): void {
    if (!this.#isFramed) {
      this.messages.push(text);
      return;
    }
    if (text.startsWith('a')) this.messages.push(...(JSON.parse(text.slice(1)) as string[]));
    else if (text.startsWith('c')) this.messages.push(text);
  }
}
