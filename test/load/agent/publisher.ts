import { chatLogin, messageTo, openStomp, plain, presenceOf, stompSend } from './clients.ts';
import { textFrame } from './frames.ts';
import { HttpLink, requestBytes } from './http-link.ts';
import { sampleText, userName } from './load.ts';
import { WsLink } from './ws-link.ts';

/** Who sends what everybody gets. */
export interface Publisher {
  publish(): void;
  close(): void;
}

/** Connections that requests of one publisher take: its largest window. */
const MAX_AT_ONCE = 8;

export function overWebSocket(link: WsLink, text: string): Publisher {
  const frame = textFrame(text);
  link.counting(
    () => 0,
    () => undefined,
  );
  return { publish: () => link.write(frame), close: () => link.close() };
}

/** Requests side by side, each on the connection that was answered longest ago; more wait. */
export async function overHttp(port: number, request: (n: number) => Buffer): Promise<Publisher> {
  const links = await Promise.all(Array.from({ length: MAX_AT_ONCE }, () => HttpLink.open(port)));
  const free = [...links];
  let wanted = 0;
  let asked = 0;
  const go = (): void => {
    for (let link = free.shift(); link !== undefined; link = free.shift()) {
      if (wanted === 0) return void free.unshift(link);
      wanted--;
      const own = link;
      own.ask(request(asked++), ({ status, head, body }) => {
        if (status !== 200) throw new Error(`${head}\n${body}`);
        free.push(own);
        go();
      });
    }
  };
  return {
    publish() {
      wanted++;
      go();
    },
    close() {
      for (const link of links) link.close();
    },
  };
}

export const PUBLISHER = userName('s', 0);
export const AUDIENCE = userName('s', 1);
export const TOPIC = '/topic/bench';

export async function barePublisher(port: number): Promise<Publisher> {
  return overWebSocket(await WsLink.open(port, '/publisher'), JSON.stringify({ to: '*', text: sampleText(false) }));
}

export async function topicPublisher(port: number): Promise<Publisher> {
  const body = JSON.stringify({ text: sampleText(false) });
  return overWebSocket(await openStomp(port, plain, null), stompSend(TOPIC, body));
}

/**
 * Whose presence is watched. A user's changes are told every 250 ms at most, the newest of them, so they change one after the
 * other: each is told to everybody before the same user changes again. As many as keep the server busy.
 */
export const WATCHED: readonly string[] = Array.from({ length: 96 }, (_, n) => userName('s', 2 + n));

/** Each change differs: one that changes nothing is told to nobody. */
export async function presencePublisher(port: number): Promise<Publisher> {
  const logins = await Promise.all(WATCHED.map((name) => chatLogin(port, name)));
  return overHttp(port, (n) => presenceOf(logins[n % logins.length] ?? {}, sampleText(false, n)));
}

export async function messagePublisher(port: number): Promise<Publisher> {
  const headers = await chatLogin(port, PUBLISHER);
  const request = messageTo(AUDIENCE, headers, sampleText(false));
  return overHttp(port, () => request);
}

export const bareMessage = (to: string): Buffer =>
  requestBytes('POST', `/messages/${to}`, { body: JSON.stringify({ text: sampleText(false) }) });

export function bareMessagePublisher(port: number): Promise<Publisher> {
  return overHttp(port, () => bareMessage(AUDIENCE));
}
