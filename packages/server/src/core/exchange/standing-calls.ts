import type { UserId } from '../journal/index.ts';
import type { ConferenceId } from './model.ts';
import type { StandingCall } from './standing-call.ts';

const NONE: ReadonlySet<StandingCall> = new Set();

/** The calls that stand, as far as this node knows: its own, and those of other nodes that concern its devices. */
export class StandingCalls {
  readonly #byConference = new Map<ConferenceId, StandingCall>();
  /** By one party and the other, both ways round: a key made of both would be made for each text. */
  readonly #chats = new Map<UserId, Map<UserId, Set<StandingCall>>>();

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
  chats(a: UserId, b: UserId): ReadonlySet<StandingCall> {
    return this.#chats.get(a)?.get(b) ?? NONE;
  }

  add(call: StandingCall): void {
    const { conference, kind, caller, callee } = call.setup;
    this.#byConference.set(conference, call);
    if (kind !== 'chat') return;
    this.#join(call, caller.user, callee.user);
    this.#join(call, callee.user, caller.user);
  }

  delete(call: StandingCall): void {
    const { conference, caller, callee } = call.setup;
    this.#byConference.delete(conference);
    this.#leave(call, caller.user, callee.user);
    this.#leave(call, callee.user, caller.user);
  }

  #join(call: StandingCall, of: UserId, peer: UserId): void {
    const chats = this.#chats.get(of) ?? new Map<UserId, Set<StandingCall>>();
    this.#chats.set(of, chats.set(peer, (chats.get(peer) ?? new Set()).add(call)));
  }

  #leave(call: StandingCall, of: UserId, peer: UserId): void {
    const chats = this.#chats.get(of);
    const pair = chats?.get(peer);
    pair?.delete(call);
    if (pair?.size === 0) chats?.delete(peer);
    if (chats?.size === 0) this.#chats.delete(of);
  }
}
