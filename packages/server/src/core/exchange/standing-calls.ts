import type { ConversationId, UserId } from '../journal/index.ts';
import { directConversation } from '../conversations/index.ts';
import type { ConferenceId } from './model.ts';
import type { StandingCall } from './standing-call.ts';

/** The calls that stand, as far as this node knows: its own, and those of other nodes that concern its devices. */
export class StandingCalls {
  readonly #byConference = new Map<ConferenceId, StandingCall>();
  readonly #byPair = new Map<ConversationId, Set<StandingCall>>();

  get size(): number {
    return this.#byConference.size;
  }

  get(conference: ConferenceId): StandingCall | undefined {
    return this.#byConference.get(conference);
  }

  [Symbol.iterator](): Iterator<StandingCall> {
    return [...this.#byConference.values()][Symbol.iterator]();
  }

  /** Chat calls between two users. */
  chats(a: UserId, b: UserId): readonly StandingCall[] {
    return [...(this.#byPair.get(directConversation(a, b)) ?? [])].filter((call) => call.setup.kind === 'chat');
  }

  add(call: StandingCall): void {
    const { conference, conversation } = call.setup;
    this.#byConference.set(conference, call);
    const pair = this.#byPair.get(conversation) ?? new Set();
    this.#byPair.set(conversation, pair.add(call));
  }

  delete(call: StandingCall): void {
    const { conference, conversation } = call.setup;
    this.#byConference.delete(conference);
    const pair = this.#byPair.get(conversation);
    pair?.delete(call);
    if (pair?.size === 0) this.#byPair.delete(conversation);
  }
}
