import type { Conversation, Message } from './model.ts';

/** Messages of one conversation held at most; older ones can be loaded again. */
export const MAX_MESSAGES = 1_000;

export type Conversations = Readonly<Record<string, Conversation>>;

const empty: Conversation = { messages: [], unread: [], isLoaded: false, hasEarlier: true, isTyping: false };

export function conversationWith(conversations: Conversations, peer: string): Conversation {
  return conversations[peer] ?? empty;
}

function changed(all: Conversations, peer: string, change: (conversation: Conversation) => Partial<Conversation>) {
  const conversation = conversationWith(all, peer);
  return { ...all, [peer]: { ...conversation, ...change(conversation) } };
}

/** By id, which sorts by time; what has none yet was written here just now and stands last. */
function inOrder(messages: readonly Message[]): readonly Message[] {
  return [...messages].sort((a, b) => {
    if (a.id === null || b.id === null) return Number(a.id === null) - Number(b.id === null);
    return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
  });
}

/** Both, each id once, in order. What came later wins. */
export function joined(known: readonly Message[], added: readonly Message[]): readonly Message[] {
  const byKey = new Map(known.map((message) => [message.key, message]));
  for (const message of added) byKey.set(message.key, message);
  return inOrder([...byKey.values()]);
}

/** A message by event: of the peer, or an own one from any session. @param isSeen the user looks at this conversation */
export function received(all: Conversations, message: Message, isSeen: boolean): Conversations {
  return changed(all, message.peer, ({ messages, unread, isTyping }) => {
    const isKnown = messages.some(({ id }) => id === message.id);
    const isNew = !message.isOwn && !isSeen && !isKnown && message.id !== null && !unread.includes(message.id);
    return {
      messages: joined(message.isOwn ? adopted(messages, message) : messages, [message]).slice(-MAX_MESSAGES),
      // Whoever writes has read.
      unread: message.isOwn ? [] : isNew && message.id !== null ? [...unread, message.id] : unread,
      isTyping: message.isOwn ? isTyping : false,
    };
  });
}

/** The event of an own message may be here before the answer to its request: it takes the place of what waits for that. */
function adopted(messages: readonly Message[], echo: Message): readonly Message[] {
  if (messages.some(({ id }) => id === echo.id)) return messages;
  const waiting = messages.find((m) => m.id === null && m.delivery === 'sending' && m.text === echo.text);
  return waiting === undefined ? messages : messages.filter((m) => m !== waiting);
}

/** A page of the past. `isNewest`: it ends with the newest message; `hasEarlier`: there is more before it. */
export function pageLoaded(
  all: Conversations,
  page: { readonly peer: string; readonly messages: readonly Message[]; readonly hasEarlier: boolean },
): Conversations {
  return changed(all, page.peer, ({ messages }) => ({
    messages: joined(messages, page.messages),
    isLoaded: true,
    hasEarlier: page.hasEarlier,
  }));
}

/** The newest messages of all conversations: enough for a list, not for a conversation. */
export function overviewLoaded(all: Conversations, messages: readonly Message[]): Conversations {
  return [...Map.groupBy(messages, ({ peer }) => peer)].reduce<Conversations>(
    (result, [peer, some]) => changed(result, peer, (c) => ({ messages: joined(c.messages, some) })),
    all,
  );
}

/** Continuity is lost: what the server told is forgotten, what waits to be sent stays. */
export function forgotten(all: Conversations): Conversations {
  return Object.fromEntries(
    Object.entries(all).map(([peer, conversation]) => [
      peer,
      { ...empty, messages: conversation.messages.filter(({ id }) => id === null), unread: conversation.unread },
    ]),
  );
}

export function written(all: Conversations, message: Message): Conversations {
  return changed(all, message.peer, ({ messages }) => ({ messages: joined(messages, [message]), unread: [] }));
}

/** The server has given the message `key` its id; its event may have been here before. */
export function accepted(
  all: Conversations,
  sent: { readonly peer: string; readonly key: string; readonly id: string },
) {
  return changed(all, sent.peer, ({ messages }) => {
    const waiting = messages.find(({ key }) => key === sent.key);
    if (waiting === undefined) return {};
    const rest = messages.filter((message) => message !== waiting);
    if (rest.some(({ id }) => id === sent.id)) return { messages: rest };
    return { messages: joined(rest, [{ ...waiting, key: sent.id, id: sent.id, delivery: 'sent', problem: null }]) };
  });
}

export function deliveryChanged(
  all: Conversations,
  of: { readonly peer: string; readonly key: string },
  change: Pick<Message, 'delivery' | 'problem'>,
): Conversations {
  return changed(all, of.peer, ({ messages }) => ({
    messages: messages.map((message) => (message.key === of.key ? { ...message, ...change } : message)),
  }));
}

export function discarded(all: Conversations, of: { readonly peer: string; readonly key: string }): Conversations {
  return changed(all, of.peer, ({ messages }) => ({ messages: messages.filter(({ key }) => key !== of.key) }));
}

export function seen(all: Conversations, peer: string): Conversations {
  return conversationWith(all, peer).unread.length === 0 ? all : changed(all, peer, () => ({ unread: [] }));
}

export function typingChanged(all: Conversations, peer: string, isTyping: boolean): Conversations {
  return conversationWith(all, peer).isTyping === isTyping ? all : changed(all, peer, () => ({ isTyping }));
}

/** What is remembered for a reload: which messages nobody has seen. */
export function unreadOf(all: Conversations): Readonly<Record<string, readonly string[]>> {
  const some = Object.entries(all).filter(([, { unread }]) => unread.length > 0);
  return Object.fromEntries(some.map(([peer, { unread }]) => [peer, unread]));
}

export function unreadRestored(all: Conversations, unread: Readonly<Record<string, readonly string[]>>): Conversations {
  return Object.entries(unread).reduce<Conversations>(
    (result, [peer, ids]) => changed(result, peer, (c) => ({ unread: [...new Set([...ids, ...c.unread])] })),
    all,
  );
}
