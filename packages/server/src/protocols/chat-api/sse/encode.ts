import { type ChatStateChange, htmlToPlain, type Message } from '../../../core/conversations/index.ts';
import type { Entry } from '../../../core/index.ts';
import type { Call } from '../../../core/calls/index.ts';
import type { ResyncReason, UserId } from '../../../core/journal/index.ts';
import type { Presence } from '../../../core/presence/index.ts';
import { type JsonObject, unreachable } from '../../../kit/index.ts';
import { callView } from '../call-view.ts';
import { bareJid, fullJid } from '../jid.ts';
import type { Names } from '../names.ts';
import type { StreamEnd } from '../../../core/directory/index.ts';
import type {
  CallEvent,
  CallRecordEvent,
  ChatEvent,
  ChatStateEvent,
  EndEvent,
  NotifyEvent,
  PresenceEvent,
  ReadyEvent,
  ResetEvent,
  SentEvent,
} from './events.ts';
import { type Frame, frame } from './frame.ts';

/** The text of a message for clients that show plain text (design §6). */
export function plainBody(message: Pick<Message, 'type' | 'body'>): string {
  return message.type === 'text/html' ? htmlToPlain(message.body) : message.body;
}

/**
 * The object that the sender posted. The store keeps it without `body`, which would stand there twice and count against the
 * bound of `data`; it is put back (OF §4.3).
 */
export function postedData(message: Pick<Message, 'type' | 'body' | 'data'>): JsonObject {
  if (message.data === null) return {};
  return message.body === '' ? message.data : { ...message.data, body: plainBody(message) };
}

/** Makes frames; each event is encoded once, however many read it. */
export class Encoder {
  readonly #names: Names;
  readonly #domain: string;
  #last: { readonly entry: Entry; readonly made: Frame | Promise<Frame> } | null = null;
  #lastTime = { at: Number.NaN, text: '' };
  readonly #presences = new WeakMap<Presence, string>();
  readonly #calls = new WeakMap<Call, Frame>();

  constructor(names: Names, domain: string) {
    this.#names = names;
    this.#domain = domain;
  }

  /** The frame of an entry of `reader`'s stream, or null where the surface shows nothing. */
  entry(entry: Entry, resume: string, reader: UserId): Frame | Promise<Frame> | null {
    if (this.#last?.entry === entry) return this.#last.made;
    const made = this.#ofEntry(entry, resume, reader);
    if (made === null) return null;
    const own = (this.#last = { entry, made });
    if (made instanceof Promise) made.catch(() => (this.#last = this.#last === own ? null : this.#last));
    return made;
  }

  /** A message as its sender or its receiver sees it; without `resume` it is not in the journal. */
  message(message: Message, reader: UserId, resume?: string): Frame | Promise<Frame> {
    return this.#named(message.sender, message.recipient, (sender, recipient) => {
      const to = bareJid(recipient, this.#domain);
      const from = fullJid(sender, this.#domain, message.resource);
      const data = postedData(message);
      const { id } = message;
      const timestamp = this.#timestamp(message.at);
      const isOwn = message.sender === reader;
      if (!isOwn && message.body === '' && message.attach.length === 0) {
        const notify = json<NotifyEvent>({ type: 'notify', to, from, data, id, timestamp });
        return frame({ id: resume, event: 'chatapi.notify', data: notify });
      }
      const type = isOwn ? 'sent' : 'chat';
      const event: ChatEvent | SentEvent = { type, to, from, body: plainBody(message), data, id, timestamp };
      if (message.seq !== 0) event.seq = message.seq;
      if (message.type === 'text/html') event.html = message.body;
      if (message.attach.length > 0) event.attach = [...message.attach];
      return frame({ id: resume, event: `chatapi.${type}`, data: json<ChatEvent | SentEvent>(event) });
    });
  }

  chatState(change: ChatStateChange, reader: string): Frame | Promise<Frame> {
    const make = (name: string): Frame =>
      frame({
        event: 'chatapi.chat',
        data: json<ChatStateEvent>({
          type: 'chat',
          to: bareJid(reader, this.#domain),
          from: fullJid(name, this.#domain, change.resource),
          state: change.state,
        }),
      });
    const name = this.#names.of(change.from);
    return typeof name === 'string' ? make(name) : name.then(make);
  }

  /** `to` differs from reader to reader; all else is encoded once. */
  presence(presence: Presence, name: string, reader: string): Frame {
    const to = JSON.stringify(bareJid(reader, this.#domain));
    let rest = this.#presences.get(presence);
    if (rest === undefined) {
      const isOnline = presence.isOnline;
      const event: Omit<PresenceEvent, 'to'> = {
        type: 'presence',
        from: fullJid(name, this.#domain, isOnline ? presence.resource : null),
        show: isOnline ? presence.show : 'offline',
        status: presence.status,
        available: isOnline,
        onPhone: presence.isOnPhone,
      };
      rest = JSON.stringify(event).slice(1);
      this.#presences.set(presence, rest);
    }
    return frame({ event: 'chatapi.presence', data: `{"to":${to},${rest}` });
  }

  call(call: Call): Frame {
    const known = this.#calls.get(call);
    if (known !== undefined) return known;
    const made = frame({ event: 'chatapi.call', data: json<CallEvent>({ type: 'call', ...callView(call) }) });
    this.#calls.set(call, made);
    return made;
  }

  /** `resume` where the client has no position yet: without one it could not come back and miss nothing. */
  ready(resume: string | null): Frame {
    return frame({ id: resume ?? undefined, event: 'chatapi.ready', data: json<ReadyEvent>({ type: 'ready' }) });
  }

  reset(cause: ResyncReason, resume: string): Frame {
    const data = json<ResetEvent>({ type: 'reset', reason: 'gap', cause });
    return frame({ id: resume, event: 'chatapi.reset', data });
  }

  end(reason: StreamEnd): Frame {
    return frame({ event: 'chatapi.end', data: json<EndEvent>({ type: 'end', reason }) });
  }

  #ofEntry(entry: Entry, resume: string, reader: UserId): Frame | Promise<Frame> | null {
    const { event } = entry;
    switch (event.kind) {
      case 'message':
        return this.message(event.message, reader, resume);
      case 'call-record': {
        const data = json<CallRecordEvent>({ type: 'callrecord', ...callView(event.call) });
        return frame({ id: resume, event: 'chatapi.callrecord', data });
      }
      case 'directory':
      case 'stream-ended':
      case 'presence-stated':
        return null;
      default:
        return unreachable(event);
    }
  }

  #timestamp(at: number): string {
    if (this.#lastTime.at !== at) this.#lastTime = { at, text: new Date(at).toISOString() };
    return this.#lastTime.text;
  }

  #named(a: UserId, b: UserId, make: (a: string, b: string) => Frame): Frame | Promise<Frame> {
    const first = this.#names.of(a);
    const second = this.#names.of(b);
    if (typeof first === 'string' && typeof second === 'string') return make(first, second);
    return Promise.all([first, second]).then(([one, two]) => make(one, two));
  }
}

/** JSON of an event; the type says which one it must be. */
function json<T>(event: T): string {
  return JSON.stringify(event);
}
