import type { Units } from '../../packages/server/src/core/index.ts';
import type { Call } from '../../packages/server/src/core/calls/index.ts';
import { directConversation } from '../../packages/server/src/core/conversations/index.ts';
import type { App, Contact } from '../../packages/server/src/core/directory/index.ts';
import type { CallId, MessageId, UserId } from '../../packages/server/src/core/journal/index.ts';

type AddUser = Units['directory.add-user']['input'];
export type Append = Units['conversations.append']['input'];

export function guid(n: number): UserId {
  return n.toString(16).padStart(32, '0') as UserId;
}

export const alice = guid(0xa);
export const bob = guid(0xb);
export const carol = guid(0xc);

export function userNamed(name: string, id: UserId, more: Partial<AddUser['user']> = {}): AddUser {
  return {
    user: {
      id,
      name,
      displayName: name.charAt(0).toUpperCase() + name.slice(1),
      number: null,
      email: null,
      isAdmin: false,
      hasStorage: true,
      isLocked: false,
      apps: [],
      ...more,
    },
    secrets: { passwordHash: `argon2id$${name}` },
    sealedMyApps: null,
    device: { id: `chat-${name}`, user: id, kind: 'chat', label: 'Chat', secret: `sealed-${name}` },
  };
}

export function appNamed(name: string, more: Partial<App> = {}): { readonly app: App; readonly secret: string } {
  const app: App = {
    name,
    guid: guid(0x100),
    displayName: name,
    grants: ['RCC'],
    url: null,
    hasWebsocket: false,
    isHidden: false,
    apps: [],
    users: 'all',
    ...more,
  };
  return { app, secret: `sealed-${name}` };
}

export function contactOf(owner: UserId, contact: UserId, more: Partial<Contact> = {}): Contact {
  return { owner, contact, nickname: '', groups: [], subscription: 3, ...more };
}

let made = 0;
/** The 26 characters of an id: unique, in the order of their making. */
export function nextId(): string {
  return (++made).toString().padStart(26, '0');
}

export function messageFrom(
  sender: UserId,
  recipient: UserId,
  more: Partial<Append['message']> & Partial<Pick<Append, 'tell' | 'keepFor' | 'idem'>> = {},
): Append {
  const { tell = [recipient, sender], keepFor = [sender, recipient], idem = null, ...message } = more;
  return {
    message: {
      id: nextId() as MessageId,
      conversation: directConversation(sender, recipient),
      sender,
      recipient,
      resource: 'rest-12345678',
      at: Date.UTC(2026, 0, 1) + made,
      type: 'text/plain',
      body: `text ${made}`,
      attach: [],
      data: null,
      ...message,
    },
    tell,
    keepFor,
    idem,
  };
}

export function callOf(user: UserId | null, more: Partial<Call> = {}): Call {
  return {
    id: nextId() as CallId,
    number: '201',
    user,
    direction: 'inbound',
    state: 'ended',
    previous: 'ringing',
    peer: '4711',
    peerName: null,
    startedAt: 1_000 + made,
    connectedAt: null,
    endedAt: 2_000 + made,
    end: 'missed',
    ...more,
  };
}
