import type { Brand } from '../../kit/index.ts';

/** 32 lower-case hex digits: the guid of a user, or of an App object that chats, the same on every surface. */
export type UserId = Brand<'UserId'>;
/** `direct:<guid>:<guid>` (guids sorted) or `room:<id>`. */
export type ConversationId = Brand<'ConversationId'>;
/** 26 characters, unique, sorted by time. */
export type MessageId = Brand<'MessageId'>;
/** 26 characters, unique, sorted by time. */
export type CallId = Brand<'CallId'>;

/** Where journal entries belong: what one user is told, what one conversation's members are told, what caches follow. */
export type StreamId = Brand<'StreamId'>;

export function userStream(user: UserId): StreamId {
  return `user:${user}` as StreamId;
}

export function conversationStream(conversation: ConversationId): StreamId {
  return `conversation:${conversation}` as StreamId;
}

/** Every change of users, devices, App objects, groups and contacts: caches follow it. */
export const directoryStream = 'directory' as StreamId;
