import { type Clock, type Ids, Lru } from '../../kit/index.ts';
import type { Directory, User } from '../directory/index.ts';
import type { MessageId, Store, UserId } from '../journal/index.ts';
import { type Actor, demand } from '../permissions/index.ts';
import { checkDraft, draftHash } from './draft.ts';
import { idempotencyConflict, ownRecipient, recipientUnavailable, unknownRecipient } from './errors.ts';
import { type ChatState, type Draft, directConversation, type Message } from './model.ts';
import type { ConversationQueries, ConversationUnits, HistoryAsk, Receivers } from './ports.ts';

/**
 * Idempotency keys of volatile messages; stored ones are kept by the store.
 * @peer a repeat is sent again
 * @test kit: an LRU forgets what was used longest ago
 */
const MAX_VOLATILE_KEYS = 10_000;
const VOLATILE_KEY_MS = 24 * 3_600_000;
/**
 * A page of history.
 * @peer a shorter page
 * @test conversations/conversations: a page of history
 */
export const MAX_HISTORY = 500;

export interface Sent {
  readonly message: Message;
  /** The same key had been used: nothing was sent again. */
  readonly isRepeat: boolean;
}

export interface Conversations {
  /**
   * Sends a direct message as `as`. Resolves when it is stored, or, where nobody concerned has the storage right, when a live
   * session of the recipient has taken it. Messages of one caller keep the order of the calls.
   * @throws forbidden | unknown-recipient | own-recipient | recipient-unavailable | too-large | empty-message |
   * idempotency-conflict | store-unavailable
   */
  send(actor: Actor, as: UserId, draft: Draft): Promise<Sent>;
  /** Chat state towards `to`; lossy. @throws forbidden */
  typing(
    actor: Actor,
    as: UserId,
    change: { readonly to: UserId; readonly resource: string; readonly state: ChatState },
  ): void;
  /** Newest first. @throws forbidden */
  history(actor: Actor, ask: HistoryAsk): Promise<readonly Message[]>;
  unread(actor: Actor, user: UserId): Promise<ConversationQueries['conversations.unread']['output']>;
  markRead(actor: Actor, user: UserId, message: MessageId): Promise<void>;
}

export interface ConversationParts {
  readonly store: Store<ConversationUnits, ConversationQueries>;
  readonly directory: Pick<Directory, 'party' | 'atHand'>;
  readonly receivers: Receivers;
  readonly clock: Clock;
  readonly ids: Ids;
}

export function createConversations(parts: ConversationParts): Conversations {
  const { store, directory, receivers, clock, ids } = parts;
  const volatileKeys = new Lru<string, { readonly hash: string; readonly until: number; readonly sent: Promise<Sent> }>(
    MAX_VOLATILE_KEYS,
  );
  let lastAt = 0;

  /** In the order of the calls, which is the conversation's: times never go back, ids always grow. */
  function compose(as: UserId, draft: Draft): Message {
    const at = (lastAt = Math.max(lastAt, clock.now()));
    const { to, type, body, attach, data, resource } = draft;
    const id = ids.sortable(at) as MessageId;
    return {
      id,
      conversation: directConversation(as, to),
      seq: 0,
      sender: as,
      resource,
      recipient: to,
      at,
      type,
      body,
      attach,
      data,
    };
  }

  async function sendStored(sender: User, recipient: User, draft: Draft): Promise<Sent> {
    if (!recipient.hasStorage && !(await receivers.reach(recipient.id, sender.id)))
      throw recipientUnavailable(recipient.name);
    // Its `seq` is the store's to say.
    const message = compose(sender.id, draft);
    return store.write('conversations.append', {
      message,
      tell: [recipient.id, sender.id],
      keepFor: [sender, recipient].filter((party) => party.hasStorage).map((party) => party.id),
      idem: draft.idempotencyKey === null ? null : { key: draft.idempotencyKey, hash: draftHash(draft) },
    });
  }

  async function sendOnce(sender: User, recipient: User, draft: Draft): Promise<Sent> {
    const key = `${sender.id} ${draft.idempotencyKey}`;
    const hash = draftHash(draft);
    const known = volatileKeys.get(key);
    if (known !== undefined && known.until > clock.now()) {
      if (known.hash !== hash) throw idempotencyConflict();
      return { message: (await known.sent).message, isRepeat: true };
    }
    const sent = Promise.resolve(handOver(sender, recipient, draft));
    volatileKeys.set(key, { hash, until: clock.now() + VOLATILE_KEY_MS, sent });
    try {
      return await sent;
    } catch (error) {
      if (volatileKeys.get(key)?.sent === sent) volatileKeys.delete(key);
      throw error;
    }
  }

  function handOver(sender: User, recipient: User, draft: Draft): Sent | Promise<Sent> {
    const message = compose(sender.id, draft);
    const handed = (isTaken: boolean): Sent => {
      if (!isTaken) throw recipientUnavailable(recipient.name);
      receivers.echo(sender.id, message);
      return { message, isRepeat: false };
    };
    const taken = receivers.hand(recipient.id, message);
    return typeof taken === 'boolean' ? handed(taken) : taken.then(handed);
  }

  function party(id: UserId): Promise<User> {
    return directory.party({ by: 'id', value: id }).then((found) => {
      if (found === null) throw unknownRecipient(id);
      return found;
    });
  }

  return {
    async send(actor, as, input) {
      demand(actor, { do: 'chat', as });
      if (input.to === as) throw ownRecipient(as);
      const draft = checkDraft(input);
      const sender = directory.atHand(as) ?? (await party(as));
      const recipient = directory.atHand(draft.to) ?? (await party(draft.to));
      if (sender.hasStorage || recipient.hasStorage) return sendStored(sender, recipient, draft);
      if (draft.idempotencyKey !== null) return sendOnce(sender, recipient, draft);
      const handed = handOver(sender, recipient, draft);
      // Mostly there is nothing to wait for.
      return handed instanceof Promise ? await handed : handed;
    },
    typing(actor, as, change) {
      demand(actor, { do: 'chat', as });
      receivers.state(change.to, { from: as, resource: change.resource, state: change.state });
    },
    history(actor, ask) {
      demand(actor, { do: 'read-history', of: ask.user });
      return store.read('conversations.history', { ...ask, limit: Math.min(ask.limit, MAX_HISTORY) });
    },
    unread(actor, user) {
      demand(actor, { do: 'read-history', of: user });
      return store.read('conversations.unread', { user });
    },
    async markRead(actor, user, id) {
      demand(actor, { do: 'read-history', of: user });
      const message = await store.read('conversations.message', { id });
      if (message === null) return;
      await store.write('conversations.mark-read', { user, conversation: message.conversation, seq: message.seq });
    },
  };
}
