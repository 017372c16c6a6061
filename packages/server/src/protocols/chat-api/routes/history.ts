import { type Static, Type } from 'typebox';
import { directConversation, MAX_HISTORY } from '../../../core/conversations/index.ts';
import type { User } from '../../../core/directory/index.ts';
import type { MessageId } from '../../../core/journal/index.ts';
import { demand } from '../../../core/permissions/index.ts';
import { Problem } from '../../../kit/index.ts';
import { conversationsOf } from '../conversation-view.ts';
import type { Names } from '../names.ts';
import type { ChatApiParts } from '../parts.ts';
import { type Asked, count, parameter, type Route, route } from '../route.ts';
import type { Streams } from '../streams.ts';
import { periodOf } from '../period.ts';
import { ConversationsShape } from './shapes.ts';

const DEFAULT_MESSAGES = 100;

export interface HistoryParts extends Pick<ChatApiParts, 'conversations' | 'domain'> {
  readonly streams: Streams;
  readonly names: Names;
}

const query = Type.Object({
  keywords: Type.Optional(parameter('Every word must occur in the text.')),
  to: Type.Optional(parameter('Only messages with this user: name or address.')),
  start: Type.Optional(parameter('Only messages since then: ISO 8601, or MM/dd/yy.')),
  end: Type.Optional(parameter('Only messages until then.')),
  room: Type.Optional(parameter('Only messages of this room.')),
  service: Type.Optional(parameter('Service of the room.')),
  max: Type.Optional(count(`The newest so many messages, up to ${MAX_HISTORY}; ${DEFAULT_MESSAGES} if absent.`)),
  before: Type.Optional(parameter('Only messages older than the one with this id: pages through the past.')),
});

/** Message history (OF §5.5). */
export function historyRoutes(parts: HistoryParts): readonly Route[] {
  const { conversations } = parts;

  async function page(asked: Asked, account: User, filter: Static<typeof query>) {
    const peer = filter.to === undefined ? null : await peerOf(asked, filter.to);
    if (filter.room !== undefined || peer === 'nobody') return { json: { conversation: [] } };
    const messages = await conversations.history(asked.caller.actor, {
      user: account.id,
      limit: Math.min(Number(filter.max ?? DEFAULT_MESSAGES), MAX_HISTORY),
      ...periodOf(filter),
      ...(peer === null ? {} : { conversation: directConversation(account.id, peer.id) }),
      ...(filter.keywords === undefined ? {} : { keywords: filter.keywords }),
      ...(filter.before === undefined ? {} : { before: messageId(filter.before) }),
    });
    return { json: { conversation: await conversationsOf(messages, parts) } };
  }

  return [
    route({
      method: 'GET',
      path: '/messages',
      form: 'plain',
      summary: 'The history of the user: the newest messages that fit, oldest first, as conversations.',
      query,
      answer: { status: 200, schema: ConversationsShape },
      permits: (account) => ({ do: 'read-history', of: account.id }),
      handle: async (ask) => page(ask, await ask.account(), ask.query),
    }),
    route({
      method: 'GET',
      path: '/:stream/messages',
      form: 'plain',
      summary: 'The same, of a user by name or by chat stream.',
      params: Type.Object({ stream: parameter('Name of the user, or a chat stream.') }),
      query,
      answer: { status: 200, schema: ConversationsShape },
      problems: ['forbidden'],
      async handle(ask) {
        const account = await accountOf(parts.streams, ask, ask.params.stream);
        return page(ask, account, ask.query);
      },
    }),
  ];
}

/** A stream's id or a user's name. A stranger learns nothing about who exists. */
async function accountOf(streams: Streams, asked: Asked, text: string): Promise<User> {
  const live = await streams.byId(text);
  if (live !== null) return live.user;
  const { actor, user } = asked.caller;
  try {
    return await asked.named(text);
  } catch (error) {
    if (error instanceof Problem && user !== null) demand(actor, { do: 'administer' });
    throw error;
  }
}

/** A filter for somebody who doesn't exist finds nothing. */
async function peerOf(asked: Asked, text: string): Promise<User | 'nobody'> {
  try {
    return await asked.named(text);
  } catch (error) {
    if (error instanceof Problem && error.code === 'unknown-user') return 'nobody';
    throw error;
  }
}

function messageId(text: string): MessageId {
  return text as MessageId;
}
