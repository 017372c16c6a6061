import { createHash } from 'node:crypto';
import { type HttpAnswer, HttpLink, requestBytes } from './http-link.ts';
import { DOMAIN, PASSWORD } from './load.ts';
import { WsLink } from './ws-link.ts';

/** Logins on each surface, as its own clients do them. */

export type Json = Record<string, unknown>;

const parsed = (text: string): Json => JSON.parse(text) as Json;

export async function openAppWs(port: number, sip: string): Promise<WsLink> {
  const link = await WsLink.open(port, '/PBX0/APPS/websocket');
  link.send('{"mt":"AppChallenge"}');
  const { challenge } = parsed(await link.take((text) => text.includes('AppChallengeResult')));
  const digest = createHash('sha256')
    .update(`:${DOMAIN}:${sip}:::${String(challenge)}:${PASSWORD}`)
    .digest('hex');
  link.send(JSON.stringify({ mt: 'AppLogin', app: '', domain: DOMAIN, sip, guid: '', dn: '', digest }));
  const result = await link.take((text) => text.includes('AppLoginResult'));
  if (parsed(result)['ok'] !== true) throw new Error(result);
  return link;
}

export async function openRegistered(port: number, sip: string): Promise<WsLink> {
  const link = await openAppWs(port, sip);
  link.send('{"api":"PbxSignal","mt":"Register","src":"chat","flags":"NO_MEDIA_CALL"}');
  const result = await link.take((text) => text.includes('RegisterResult'));
  if ('err' in parsed(result)) throw new Error(result);
  return link;
}

export function signalText(call: number, sig: Json): string {
  return JSON.stringify({ api: 'PbxSignal', mt: 'Signaling', src: 'chat', call, sig });
}

export function setUp(link: WsLink, call: number, to: string, facility: Json): void {
  link.send(
    signalText(call, { type: 'setup', bc: 'a880', channel: 0, complete: true, cd: { sip: to }, fty: [facility] }),
  );
}

/** A chat call from one to the other, accepted. */
export async function callChat(caller: WsLink, callee: WsLink, to: string): Promise<void> {
  setUp(caller, 1, to, { type: 'im_setup' });
  const setup = parsed(await callee.take((text) => text.includes('"type":"setup"')));
  callee.send(signalText(Number(setup['call']), { type: 'conn' }));
  await caller.take((text) => text.includes('"type":"conn"'));
}

/** Text of a WebSocket message that carries this STOMP frame: as it is, or in the framing of SockJS. */
export type StompFraming = (frame: string) => string;
export const plain: StompFraming = (frame) => frame;
export const sockJs: StompFraming = (frame) => JSON.stringify([frame]);

let sessions = 0;

/** `login` null: anonymous. */
export async function openStomp(port: number, framing: StompFraming, login: string | null): Promise<WsLink> {
  const isPlain = framing === plain;
  const session = `/000/bench-${process.pid}-${sessions++}`;
  const link = await WsLink.open(port, `/tapi-messenger${isPlain ? '' : session}/websocket`);
  if (!isPlain) await link.take((text) => text === 'o');
  const credentials = login === null ? '' : `login:${login}\npasscode:${PASSWORD}\n`;
  link.send(framing(`CONNECT\naccept-version:1.2\nhost:bench\nheart-beat:0,0\n${credentials}\n\0`));
  const connected = await link.take((text) => text.includes('CONNECTED') || text.includes('ERROR'));
  if (login !== null && !connected.includes(`user-name:${login}`)) throw new Error(connected);
  return link;
}

export async function subscribe(link: WsLink, framing: StompFraming, destination: string): Promise<void> {
  link.send(framing(`SUBSCRIBE\nid:0\ndestination:${destination}\nreceipt:r\n\n\0`));
  await link.take((text) => text.includes('RECEIPT'));
}

export function stompSend(destination: string, body: string): string {
  return `SEND\ndestination:${destination}\ncontent-type:application/json\n\n${body}\0`;
}

const CHAT = '/restapi/v1/chat';

/** Logs in at the Chat API. @returns header fields for what follows */
export async function chatLogin(port: number, name: string): Promise<Readonly<Record<string, string>>> {
  const link = await HttpLink.open(port);
  const basic = Buffer.from(`${name}:${PASSWORD}`).toString('base64');
  const request = requestBytes('POST', `${CHAT}/${name}/login`, { headers: { authorization: `Basic ${basic}` } });
  const answer = await link.request(request);
  link.close();
  return { authorization: `Bearer ${tokenOf(answer)}` };
}

function tokenOf({ head }: HttpAnswer): string {
  const token = /^x-session-token: (\S+)/im.exec(head)?.[1];
  if (token === undefined) throw new Error(head);
  return token;
}

export const eventsOf = (name: string, headers: Readonly<Record<string, string>>): Buffer =>
  requestBytes('GET', `/sse/${name}`, { headers: { accept: 'text/event-stream', ...headers } });

export const messageTo = (name: string, headers: Readonly<Record<string, string>>, text: string): Buffer =>
  requestBytes('POST', `${CHAT}/messages/${name}`, { headers, body: text });

export const presenceOf = (headers: Readonly<Record<string, string>>, status: string): Buffer =>
  requestBytes('POST', `${CHAT}/presence?show=available&status=${encodeURIComponent(status)}`, { headers });
