import type { ConversationId, JournalEntry, MessageId, UserId } from '../journal/index.ts';
import type { ChatState, Message } from './model.ts';

/** A message stands in the conversation. In the streams of its sender and of its recipient. */
export interface MessageStored {
  readonly kind: 'message';
  readonly message: Message;
}

export interface ConversationUnits {
  /**
   * Appends to the conversation: takes the next `seq`, stores, writes one entry into the stream of each of `tell`.
   * With `idem`: a repeat with the same hash returns the first message and `isRepeat`, another hash is refused.
   * Keys are kept 24 h. @throws idempotency-conflict
   */
  'conversations.append': {
    input: {
      message: Omit<Message, 'seq'>;
      tell: readonly UserId[];
      /** Parties with the storage right: history and unread counts are kept for these. */
      keepFor: readonly UserId[];
      idem: { key: string; hash: string } | null;
    };
    output: { message: Message; isRepeat: boolean };
  };
  /** Moves the read mark of `user` to `seq`, never back. */
  'conversations.mark-read': { input: { user: UserId; conversation: ConversationId; seq: number }; output: null };
}

export interface HistoryAsk {
  /** Whose history: only what was kept for this user. */
  readonly user: UserId;
  readonly conversation?: ConversationId;
  readonly since?: number;
  readonly until?: number;
  /** Case-insensitive substring of the text without tags; every word must occur. */
  readonly keywords?: string;
  /** Strictly older than the message with this id. */
  readonly before?: MessageId;
  readonly limit: number;
}

export interface ConversationQueries {
  /**
   * Newest first: of one conversation by `seq`, of all of them by `at` and then by the order of storing. Empty where `before`
   * is unknown. @throws search-too-complex
   */
  'conversations.history': { input: HistoryAsk; output: readonly Message[] };
  /** Every conversation that something is kept of for this user (the latest 1,000), the latest first; `unread` may be 0. */
  'conversations.unread': {
    input: { user: UserId };
    output: readonly { conversation: ConversationId; peer: UserId; unread: number; lastAt: number }[];
  };
  'conversations.message': { input: { id: MessageId }; output: Message | null };
}

/** What live sessions can be told (delivery implements it). */
export interface Receivers {
  /**
   * Resolves true when a live session of `user`, on any node, takes texts of `from`: at once where one stands ready, else
   * when a chat call to one of the user's devices is accepted.
   */
  reach(user: UserId, from: UserId): boolean | Promise<boolean>;
  /** Hands a volatile message over; resolves true when one session at least has taken it. Keeps the order per sender. */
  hand(user: UserId, message: Message): boolean | Promise<boolean>;
  /** Shows a volatile message to the other sessions of its sender. Lossy. */
  echo(user: UserId, message: Message): void;
  /** Chat states: lossy, newest wins. */
  state(user: UserId, change: ChatStateChange): void;
}

export interface ChatStateChange {
  readonly from: UserId;
  readonly resource: string;
  readonly state: ChatState;
}

export type MessageEntry = JournalEntry<MessageStored>;
