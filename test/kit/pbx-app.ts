import { createHash } from 'node:crypto';
import { type RawData, WebSocket } from 'ws';
import { baseOf, type Place } from './place.ts';
import { until } from './wait.ts';

export type Json = Record<string, unknown>;

/** An app on an AppWebsocket, by hand over `ws`: what somebody writes who has read the protocol's document. */
export class PbxApp implements AsyncDisposable {
  readonly socket: WebSocket;
  /** Everything that came, parsed. */
  readonly received: Json[] = [];
  closeCode: number | null = null;
  #taken = 0;

  private constructor(url: string) {
    this.socket = new WebSocket(url);
    this.socket.on('message', (data) => this.received.push(JSON.parse(textOf(data))));
    this.socket.on('close', (code) => (this.closeCode = code));
    this.socket.on('error', () => undefined);
  }

  static async open(place: Place, path = '/PBX0/APPS/websocket'): Promise<PbxApp> {
    const app = new PbxApp(`${baseOf(place).replace(/^http/, 'ws')}${path}`);
    await new Promise((resolve, reject) => app.socket.once('open', resolve).once('error', reject));
    return app;
  }

  /** Signs in: as an App object (`app`), or, with `sip` alone, as a user. */
  static async signIn(place: Place, login: { app?: string; sip?: string; password?: string }): Promise<PbxApp> {
    const pbxApp = await PbxApp.open(place);
    const result = await pbxApp.login(login);
    if (result['ok'] !== true) throw new Error(`login refused: ${JSON.stringify(result)}`);
    return pbxApp;
  }

  async login(login: { app?: string; sip?: string; password?: string }): Promise<Json> {
    this.send({ mt: 'AppChallenge' });
    return this.answerChallenge(login);
  }

  async answerChallenge({ app = '', sip = '', password = 'demo' }): Promise<Json> {
    const { challenge } = await this.take((message) => message['mt'] === 'AppChallengeResult');
    const digest = createHash('sha256')
      .update(`${app}:example.test:${sip}:::${String(challenge)}:${password}`)
      .digest('hex');
    this.send({ mt: 'AppLogin', app, domain: 'example.test', sip, guid: '', dn: '', digest });
    return this.take((message) => message['mt'] === 'AppLoginResult');
  }

  send(message: Json): void {
    this.socket.send(JSON.stringify(message));
  }

  /** A frame of PbxSignal. */
  signal(call: number, sig: Json): void {
    this.send({ api: 'PbxSignal', mt: 'Signaling', call, sig });
  }

  async register(fields: Json = {}): Promise<Json> {
    this.send({ api: 'PbxSignal', mt: 'Register', src: 'chat', flags: 'NO_MEDIA_CALL', ...fields });
    return this.take((message) => message['mt'] === 'RegisterResult');
  }

  /** The next message that fits; those before it count as seen. */
  async take(fits: (message: Json) => boolean): Promise<Json> {
    return until(
      () => {
        const at = this.received.findIndex((message, i) => i >= this.#taken && fits(message));
        if (at < 0) return undefined;
        this.#taken = at + 1;
        return this.received[at];
      },
      'a message on the AppWebsocket',
      5_000,
    );
  }

  /** The next `sig` of this type on a call, with the call's id. */
  async takeSignal(type: string, call?: number): Promise<{ call: number; sig: Json }> {
    const message = await this.take(
      (m) =>
        m['mt'] === 'Signaling' && (m['sig'] as Json)['type'] === type && (call === undefined || m['call'] === call),
    );
    return { call: Number(message['call']), sig: message['sig'] as Json };
  }

  /** Texts that came in, oldest first, as objects `im_message`. */
  get texts(): Json[] {
    return this.received.flatMap((message) => {
      const sig = message['sig'] as Json | undefined;
      const facilities = (sig?.['fty'] ?? []) as Json[];
      return facilities.filter((fty) => fty['type'] === 'im_message' && 'data' in fty);
    });
  }

  /** Sets a chat call up and waits until it is connected. */
  async callChat(call: number, to: string): Promise<void> {
    this.signal(call, {
      type: 'setup',
      bc: 'a880',
      channel: 0,
      complete: true,
      cd: { sip: to },
      fty: [{ type: 'im_setup' }],
    });
    await this.takeSignal('conn', call);
  }

  say(call: number, data: string, more: Json = {}): void {
    this.signal(call, {
      type: 'facility',
      fty: [{ type: 'im_message', mime: 'text/plain', data, attach: '', ...more }],
    });
  }

  /** From now on every chat call is accepted at once, as apps do. */
  acceptChats(): void {
    this.socket.on('message', (data) => {
      const message = JSON.parse(textOf(data)) as Json;
      const sig = message['sig'] as Json | undefined;
      if (sig?.['type'] === 'setup') this.signal(Number(message['call']), { type: 'conn' });
    });
  }

  async close(): Promise<void> {
    this.socket.close();
    await until(() => this.closeCode !== null);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function textOf(data: RawData): string {
  return Buffer.isBuffer(data) ? data.toString('utf8') : '';
}
