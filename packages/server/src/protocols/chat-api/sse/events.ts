import { type Static, type TSchema, Type } from 'typebox';

const text = (description: string) => Type.String({ description });
const jid = (description: string) => Type.String({ description, examples: ['alice@example.test/alice-x1y2z3a4'] });
const data = Type.Record(Type.String(), Type.Unknown(), {
  description: 'The JSON object that the sender posted, its `body` included; `{}` where there was none.',
});

const message = {
  to: jid('Whom it is for.'),
  from: jid('Who sent it, with the session it was sent from.'),
  body: text('The text.'),
  data,
  id: text('The same on every surface and at every repeat.'),
  timestamp: text('When it was sent, ISO 8601.'),
  seq: Type.Optional(Type.Integer({ description: 'Its place in the conversation; absent where nobody stores it.' })),
  html: Type.Optional(text('The text as plain HTML, where it was sent so.')),
  attach: Type.Optional(Type.Array(Type.String(), { description: 'Addresses of attached files.' })),
};

export const ChatEvent = Type.Object(
  { type: Type.Literal('chat'), ...message },
  { description: 'A one-to-one message for this user.' },
);
export const SentEvent = Type.Object(
  { type: Type.Literal('sent'), ...message },
  { description: 'A message that this user has sent, from this or any other session.' },
);
export const NotifyEvent = Type.Object(
  {
    type: Type.Literal('notify'),
    to: message.to,
    from: message.from,
    data,
    id: message.id,
    timestamp: message.timestamp,
  },
  { description: 'A message without text, which carries data only.' },
);

export const CHAT_STATES = ['composing', 'paused', 'active', 'inactive', 'gone'] as const;
export const ChatStateEvent = Type.Object(
  {
    type: Type.Literal('chat'),
    to: message.to,
    from: message.from,
    state: Type.Enum(CHAT_STATES),
  },
  { description: 'The other side is typing, or has stopped.' },
);

export const SHOWS = ['available', 'chat', 'away', 'xa', 'dnd', 'offline'] as const;
export const PresenceEvent = Type.Object(
  {
    type: Type.Literal('presence'),
    from: jid('Whose presence it is; bare when offline.'),
    to: jid('The user who is told.'),
    show: Type.Enum(SHOWS),
    status: text('The note; empty where there is none.'),
    available: Type.Boolean({ description: 'False when offline.' }),
    onPhone: Type.Boolean({ description: 'The user speaks on the phone.' }),
  },
  { description: "A contact's presence; a snapshot of all follows every opening of the stream." },
);

export const CallStates = Type.Enum(['RINGING', 'ACTIVE', 'HELD', 'HANGUP'] as const);
/** Members of a call, in events and in answers. */
export const callMembers = {
  call_id: text('Names the call in requests.'),
  state: CallStates,
  prev_state: text('The state before; empty for a new call.'),
  direction: Type.Enum(['inbound', 'outbound'] as const),
  source: text('Number that calls; empty where it is withheld.'),
  destination: text('Number that is called.'),
  other_call_id: text('Always empty: a call of two of our numbers is two calls.'),
  name: text('Name of the far end from the directory, else `UNKNOWN`.'),
  start: text('When it began, ISO 8601.'),
  answer: text('When it was answered, ISO 8601; empty before.'),
  end: text('When it ended, ISO 8601; empty before.'),
  reason: text('Why it ended: `completed missed rejected busy failed elsewhere lost unknown`; empty before.'),
};
export const CallEvent = Type.Object(
  { type: Type.Literal('call'), ...callMembers },
  { description: "A live call of the user's number; a snapshot of all follows every opening of the stream." },
);
export const CallRecordEvent = Type.Object(
  { type: Type.Literal('callrecord'), ...callMembers },
  { description: "A call of the user's number has ended and stands in the history." },
);

export const ReadyEvent = Type.Object(
  { type: Type.Literal('ready') },
  {
    description:
      'The first event of every stream. Its id is where telling begins, so that a client can come back before anything was told.',
  },
);

export const RESET_CAUSES = ['epoch', 'expired', 'unknown', 'overflow'] as const;
export const ResetEvent = Type.Object(
  { type: Type.Literal('reset'), reason: Type.Literal('gap'), cause: Type.Enum(RESET_CAUSES) },
  { description: 'Continuity cannot be proved: load history again. Events go on from now.' },
);
export const EndEvent = Type.Object(
  { type: Type.Literal('end'), reason: Type.Enum(['logoff', 'locked', 'idle'] as const) },
  { description: 'The chat stream has ended; coming back gets 404 until the next login.' },
);

/** What an event stream may carry: its name, its schemas, and whether it is replayed after `Last-Event-ID`. */
export const EVENT_CATALOGUE: readonly {
  readonly event: string;
  readonly schemas: readonly TSchema[];
  readonly isReplayed: boolean;
}[] = [
  { event: 'chatapi.ready', schemas: [ReadyEvent], isReplayed: false },
  { event: 'chatapi.chat', schemas: [ChatEvent, ChatStateEvent], isReplayed: true },
  { event: 'chatapi.sent', schemas: [SentEvent], isReplayed: true },
  { event: 'chatapi.notify', schemas: [NotifyEvent], isReplayed: true },
  { event: 'chatapi.callrecord', schemas: [CallRecordEvent], isReplayed: true },
  { event: 'chatapi.presence', schemas: [PresenceEvent], isReplayed: false },
  { event: 'chatapi.call', schemas: [CallEvent], isReplayed: false },
  { event: 'chatapi.reset', schemas: [ResetEvent], isReplayed: false },
  { event: 'chatapi.end', schemas: [EndEvent], isReplayed: false },
];

export type ChatEvent = Static<typeof ChatEvent>;
export type SentEvent = Static<typeof SentEvent>;
export type NotifyEvent = Static<typeof NotifyEvent>;
export type ChatStateEvent = Static<typeof ChatStateEvent>;
export type PresenceEvent = Static<typeof PresenceEvent>;
export type CallEvent = Static<typeof CallEvent>;
export type CallRecordEvent = Static<typeof CallRecordEvent>;
export type ReadyEvent = Static<typeof ReadyEvent>;
export type ResetEvent = Static<typeof ResetEvent>;
export type EndEvent = Static<typeof EndEvent>;
