import { ChatApiClient } from '../../kit/chat-api-client.ts';
import { type Json, PbxApp } from '../../kit/pbx-app.ts';
import { StompApp } from '../../kit/stomp-app.ts';
import { until } from '../../kit/wait.ts';
import type { Seen } from './ledger.ts';

export type Surface = 'sse' | 'stomp' | 'appws';

/** Where a node is reached. */
export interface Door {
  readonly url: string;
  readonly port: number;
}

/** A connection that is told messages; once it is lost, another one goes on at `place`. */
export interface Listening {
  /** What has come since the last call. */
  drain(): readonly Seen[];
  /** The resume token after everything that was drained. */
  readonly place: string;
  readonly isLost: boolean;
  /** The server said that continuity can't be proved. */
  readonly isReset: boolean;
  close(): void;
}

/** A connection that sends; `send` resolves with the id of the message when it is acknowledged, else rejects. */
export interface Sending {
  send(to: string, text: string): Promise<string>;
  close(): void;
}

/** A client that hears nothing for so long tries another way. */
const PATIENCE_MS = 8_000;

export function listen(surface: Surface, door: Door, user: string, place: string): Promise<Listening> {
  return { sse: listenSse, stomp: listenStomp, appws: listenAppWs }[surface](door, user, place);
}

export function connect(surface: Surface, door: Door, user: string): Promise<Sending> {
  return { sse: sendRest, stomp: sendStomp, appws: sendAppWs }[surface](door, user);
}

async function listenSse({ url }: Door, user: string, place: string): Promise<Listening> {
  const client = await ChatApiClient.signIn(url, user);
  const log = await client.events(place === '' ? {} : { lastEventId: place });
  let isBroken = log.failure !== null;
  // The library would come back to the same node; here the client looks for one that lives.
  log.source.onerror = () => (isBroken = true);
  let isReset = false;
  let at = place;
  return {
    drain() {
      // What was looked at is let go of: a run of hours must not grow.
      const fresh = log.all.splice(0);
      isReset ||= fresh.some(({ event }) => event === 'reset');
      at = fresh.findLast(({ id }) => id !== '')?.id ?? at;
      return fresh
        .filter(({ event, data }) => event === 'chat' && data.body !== undefined)
        .map(({ data }) => ({ id: data.id, text: data.body }));
    },
    get place() {
      return at;
    },
    get isLost() {
      return isBroken;
    },
    get isReset() {
      return isReset;
    },
    close: () => log.close(),
  };
}

async function listenStomp({ port }: Door, user: string, place: string): Promise<Listening> {
  const app = await StompApp.signIn(port, user);
  if (app.connected === null) throw new Error('no CONNECTED');
  app.subscribe('/user/queue/errors');
  const receipt = 'subscribed';
  app.client.watchForReceipt(receipt, (frame) => app.receipts.set(receipt, frame.headers));
  app.subscribe('/user/queue/messages', { receipt, ...(place === '' ? {} : { resume: place }) });
  const subscribed = await until(() => app.receipts.get(receipt) ?? (app.closes > 0 ? {} : undefined), 'RECEIPT');
  let isReset = false;
  let at = place === '' ? (subscribed['position'] ?? '') : place;
  return {
    drain() {
      const all = app.frames.splice(0);
      isReset ||= all.some(({ json }) => json?.['code'] === 'resync');
      const fresh = all.filter(({ destination }) => destination === '/user/queue/messages');
      at = fresh.at(-1)?.headers['position'] ?? at;
      return fresh
        .filter(({ headers }) => headers['direction'] !== 'out')
        .map(({ json = {} }) => ({ id: String(json['id']), text: String(json['body']) }));
    },
    get place() {
      return at;
    },
    get isLost() {
      return app.closes > 0;
    },
    get isReset() {
      return isReset;
    },
    close: () => app.drop(),
  };
}

async function listenAppWs({ port }: Door, user: string, place: string): Promise<Listening> {
  const app = await PbxApp.signIn(port, { sip: user });
  app.acceptChats();
  const result = await app.register({ hw: `chat-${user}`, resume: place });
  if (result['err'] !== undefined) throw new Error(`register: ${JSON.stringify(result)}`);
  let isReset = false;
  let at = place;
  return {
    drain() {
      const all = app.received.splice(0);
      isReset ||= all.some((message) => message['mt'] === 'Resync');
      const fresh = all.flatMap(facilitiesOf).filter((f) => f['type'] === 'im_message' && 'data' in f);
      for (const { pos } of fresh) if (typeof pos === 'string') at = pos;
      return fresh
        .filter((text) => text['direction'] !== 'out')
        .map((text) => ({ id: String(text['id']), text: String(text['data']) }));
    },
    get place() {
      return at;
    },
    get isLost() {
      return app.closeCode !== null;
    },
    get isReset() {
      return isReset;
    },
    close: () => app.socket.terminate(),
  };
}

async function sendRest({ url }: Door, user: string): Promise<Sending> {
  const client = await ChatApiClient.signIn(url, user);
  return { send: (to, text) => client.say(to, text, { 'idempotency-key': text }), close: () => undefined };
}

async function sendStomp({ port }: Door, user: string): Promise<Sending> {
  const app = await StompApp.signIn(port, user);
  if (app.connected === null) throw new Error('no CONNECTED');
  return {
    async send(to, text) {
      const lost = until(() => app.closes > 0 || undefined, 'the end', PATIENCE_MS * 10).then(() => {
        throw new Error('the session has ended');
      });
      lost.catch(() => undefined);
      const headers = await Promise.race([
        app.send('/tapi/message', { to, body: text }, { 'idempotency-key': text }),
        lost,
      ]);
      if (headers['id'] === undefined) throw new Error('not taken');
      return headers['id'];
    },
    close: () => app.drop(),
  };
}

async function sendAppWs({ port }: Door, user: string): Promise<Sending> {
  const app = await PbxApp.signIn(port, { sip: user });
  await app.register({ hw: `chat-${user}` });
  const calls = new Map<string, Promise<number>>();
  const results = new Map<string, string>();
  let isBroken = false;
  app.socket.on('close', () => (isBroken = true));
  let read = 0;
  app.socket.on('message', () => {
    for (const message of app.received.slice(read)) {
      // A chat that ends takes along what waits for its result: all of it is sent again, on another connection.
      if ((message['sig'] as Json | undefined)?.['type'] === 'rel') isBroken = true;
      for (const f of facilitiesOf(message))
        if (f['type'] === 'im_message_result') results.set(String(f['idem']), String(f['id']));
    }
    read = app.received.length;
  });

  async function begin(call: number, to: string): Promise<number> {
    await app.callChat(call, to);
    return call;
  }

  return {
    async send(to, text) {
      const standing = calls.get(to) ?? begin(calls.size + 1, to);
      calls.set(to, standing);
      app.say(await standing, text, { idem: text });
      const id = await until(
        () => {
          if (isBroken) throw new Error('the chat has ended');
          return results.get(text);
        },
        'the result',
        PATIENCE_MS,
      );
      results.delete(text);
      return id;
    },
    close: () => app.socket.terminate(),
  };
}

function facilitiesOf(message: Json): readonly Json[] {
  return ((message['sig'] as Json | undefined)?.['fty'] ?? []) as Json[];
}
