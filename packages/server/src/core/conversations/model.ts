import type { JsonObject } from '../../kit/index.ts';
import type { ConversationId, MessageId, UserId } from '../journal/index.ts';

export type BodyType = 'text/plain' | 'text/html';

/** A stored or volatile message. What a message is never changes; edits make a new one under the same id. */
export interface Message {
  readonly id: MessageId;
  readonly conversation: ConversationId;
  /** Order within the conversation, from 1, without gaps. 0 = volatile: not stored, ordered by arrival. */
  readonly seq: number;
  readonly sender: UserId;
  /** `<surface>-<8 characters>` or the chat stream's resource: the session it came from. */
  readonly resource: string;
  /** The other party of a direct conversation. */
  readonly recipient: UserId;
  /** Milliseconds since 1970 UTC. */
  readonly at: number;
  readonly type: BodyType;
  /** Plain text, or plain HTML as sanitised (PBX §3.5). At most 30,000 bytes in HTML form. */
  readonly body: string;
  /** URLs of attached files. */
  readonly attach: readonly string[];
  /** The JSON object that a Chat API client sent, else null. At most 16 KiB. */
  readonly data: JsonObject | null;
}

/** `direct:<a>:<b>`, guids sorted. */
export function directConversation(a: UserId, b: UserId): ConversationId {
  return (a < b ? `direct:${a}:${b}` : `direct:${b}:${a}`) as ConversationId;
}

/** What a sender hands in. */
export interface Draft {
  readonly to: UserId;
  readonly type: BodyType;
  readonly body: string;
  readonly attach: readonly string[];
  readonly data: JsonObject | null;
  readonly resource: string;
  /** Applied once per user in 24 h; the same key with another body is a conflict. */
  readonly idempotencyKey: string | null;
}

/** Someone is typing, or stopped. Never stored; newest wins. */
export type ChatState = 'composing' | 'paused' | 'active' | 'inactive' | 'gone';
