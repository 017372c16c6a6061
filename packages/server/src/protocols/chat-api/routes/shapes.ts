import { Type } from 'typebox';

/** Entities of the surface (OF §8.2, JSON in its legacy-safe dialect, §1.3). */
export const UserShape = Type.Object({
  username: Type.String(),
  name: Type.String({ description: 'Display name.' }),
  email: Type.Optional(Type.String()),
  jid: Type.String({ description: 'Address of the user.' }),
  number: Type.Optional(Type.String({ description: 'Extension.' })),
});

export const UsersShape = Type.Object({ user: Type.Array(UserShape) });

export const SUBSCRIPTION =
  'What either sees of the other: 0 nothing, 1 I see the contact, 2 the contact sees me, 3 both.';

export const RosterItemShape = Type.Object({
  jid: Type.String(),
  nickname: Type.String(),
  subscriptionType: Type.Integer({ description: SUBSCRIPTION }),
  groups: Type.Object({ group: Type.Array(Type.String()) }),
  show: Type.String({ description: '`available chat away dnd xa unavailable`' }),
  status: Type.String(),
});

export const RosterShape = Type.Object({ rosterItem: Type.Array(RosterItemShape) });

export const PresenceShape = Type.Object({
  jid: Type.String(),
  show: Type.String({ description: '`available chat away dnd xa offline`' }),
  status: Type.String(),
  available: Type.Boolean(),
  onPhone: Type.Boolean(),
});

export const HistoryMessageShape = Type.Object({
  conversationID: Type.Integer(),
  from: Type.String(),
  to: Type.String(),
  sentDate: Type.String({ description: 'ISO 8601.' }),
  body: Type.String(),
  roomEvent: Type.Boolean(),
  id: Type.String({ description: 'The same as in events.' }),
  data: Type.Record(Type.String(), Type.Unknown()),
  html: Type.Optional(Type.String()),
  attach: Type.Optional(Type.Array(Type.String())),
});

export const ConversationShape = Type.Object({
  conversationID: Type.Integer(),
  external: Type.Boolean(),
  startDate: Type.String(),
  lastActivity: Type.String(),
  messageCount: Type.Integer(),
  participantList: Type.Array(Type.String()),
  messages: Type.Object({ message: Type.Array(HistoryMessageShape) }),
});

export const ConversationsShape = Type.Object({ conversation: Type.Array(ConversationShape) });

export const ErrorShape = Type.Object({
  resource: Type.String({ description: 'What the error is about.' }),
  ressource: Type.String({ description: 'The same; the spelling of older clients.' }),
  message: Type.String(),
  exception: Type.String(),
});
