import { SHOWS, type Call, type CallState, type Message, type Person, type Show } from '../state/model.ts';
import type { PresenceChange } from '../state/people.ts';

/** What the server sends, read into what the page holds. Members that are missing or of another kind are taken as empty. */
type Json = Readonly<Record<string, unknown>>;

export function objectOf(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

export function listOf(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.map(objectOf) : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function timeOf(value: unknown): number | null {
  const at = Date.parse(textOf(value));
  return Number.isNaN(at) ? null : at;
}

/** `alice@example.test/alice-x1y2z3a4` → `alice` */
export function nameOf(jid: unknown): string {
  return textOf(jid).split('/', 1)[0]?.split('@', 1)[0]?.toLowerCase() ?? '';
}

/** A message of an event (`timestamp`) or of the history (`sentDate`); null where it has no id or no peer. */
export function messageOf(value: unknown, me: string): Message | null {
  const json = objectOf(value);
  const id = textOf(json['id']);
  const [from, to] = [nameOf(json['from']), nameOf(json['to'])];
  const peer = from === me ? to : from;
  const attach = Array.isArray(json['attach']) ? json['attach'].map(textOf).filter((url) => url !== '') : [];
  const html = textOf(json['html']);
  if (id === '' || peer === '') return null;
  return {
    key: id,
    id,
    peer,
    isOwn: from === me,
    text: textOf(json['body']),
    html: html === '' ? null : html,
    attach,
    at: timeOf(json['timestamp']) ?? timeOf(json['sentDate']) ?? 0,
    delivery: 'sent',
    problem: null,
  };
}

/** The messages of a history answer, in their order. */
export function messagesOf(answer: unknown, me: string): readonly Message[] {
  return listOf(objectOf(answer)['conversation'])
    .flatMap((conversation) => listOf(objectOf(conversation['messages'])['message']))
    .map((message) => messageOf(message, me))
    .filter((message) => message !== null);
}

export function showOf(value: unknown): Show {
  return SHOWS.find((show) => show === value) ?? 'offline';
}

export function presenceOf(value: unknown): PresenceChange {
  const json = objectOf(value);
  return { show: showOf(json['show']), status: textOf(json['status']), isOnPhone: json['onPhone'] === true };
}

const CALL_STATES: readonly CallState[] = ['RINGING', 'ACTIVE', 'HELD', 'HANGUP'];

export function callOf(value: unknown): Call | null {
  const json = objectOf(value);
  const id = textOf(json['call_id']);
  const state = CALL_STATES.find((known) => known === json['state']);
  if (id === '' || state === undefined) return null;
  const isInbound = json['direction'] !== 'outbound';
  const name = textOf(json['name']);
  return {
    id,
    state,
    isInbound,
    number: textOf(json[isInbound ? 'source' : 'destination']),
    name: name === '' || name === 'UNKNOWN' ? null : name,
    startedAt: timeOf(json['start']),
    answeredAt: timeOf(json['answer']),
    endedAt: timeOf(json['end']),
    reason: textOf(json['reason']),
  };
}

export function callsOf(answer: unknown): readonly Call[] {
  return listOf(objectOf(answer)['call'])
    .map(callOf)
    .filter((call) => call !== null);
}

export function usersOf(answer: unknown): readonly Pick<Person, 'name' | 'displayName' | 'number'>[] {
  return listOf(objectOf(answer)['user'])
    .map((json) => {
      const name = textOf(json['username']);
      const number = textOf(json['number']);
      return { name, displayName: textOf(json['name']) || name, number: number === '' ? null : number };
    })
    .filter(({ name }) => name !== '');
}

export interface ListedContact {
  readonly name: string;
  readonly presence: PresenceChange;
}

export function contactsOf(answer: unknown): readonly ListedContact[] {
  return listOf(objectOf(answer)['rosterItem'])
    .map((json) => ({ name: nameOf(json['jid']), presence: presenceOf(json) }))
    .filter(({ name }) => name !== '');
}

/** Errors of the surface carry a sentence; anything else gets one of ours. */
export function errorTextOf(answer: unknown): string {
  return textOf(objectOf(answer)['message']);
}
