import type { ChatStateChange, Message } from '../conversations/index.ts';
import type { Directory } from '../directory/index.ts';
import type { UserId } from '../journal/index.ts';
import { CAUSE } from './model.ts';
import type { Endpoint, LegUser } from './ports.ts';
import { type Exchange, partyOf } from './service.ts';
import type { StandingCall } from './standing-call.ts';

/**
 * Texts of one peer that wait for a device to accept.
 * @peer that chat is released with cause 111
 * @test exchange/exchange: texts that wait for a device
 */
export const MAX_WAITING_TEXTS = 500;

/**
 * How texts reach one registered device: on the chat call that it has with their sender; where none stands, the PBX starts one
 * and all of the owner's devices are offered it. The device that accepts gets the texts, in order; the lines of the others drop
 * theirs.
 */
export interface ChatLine {
  /** Resolves true when the device has been given the text. */
  deliver(message: Message, resume: string | null): boolean | Promise<boolean>;
  /** The owner's own text from another session: shown where a call stands, never a reason to call. */
  echo(message: Message, resume: string | null): void;
  chatState(change: ChatStateChange): void;
  /** Would texts of `from` be taken? Starts a call to find out. */
  reach(from: UserId): boolean | Promise<boolean>;
}

interface Held {
  readonly call: StandingCall;
  readonly user: LegUser;
}

export function createChatLine(parts: {
  readonly endpoint: Endpoint;
  readonly exchange: Exchange;
  readonly directory: Pick<Directory, 'party'>;
}): ChatLine {
  const { endpoint, exchange, directory } = parts;
  const waiting = new Map<UserId, { size: number; tail: Promise<unknown>; isReleased: boolean }>();

  /** The end of an answered chat call with `peer` that this device holds; one it started itself first (PBX §3.1, glare). */
  function held(peer: UserId): Held | null {
    let won: Held | null = null;
    for (const call of exchange.callsBetween(endpoint.owner, peer)) {
      if (call.callerEndpoint === endpoint.id && call.state.isAnswered && call.callerUser !== null)
        return { call, user: call.callerUser };
      if (call.winnerEndpoint === endpoint.id && call.winnerUser !== null) won = { call, user: call.winnerUser };
    }
    return won;
  }

  /** Another device of the owner has this call, or this device was offered it and has not taken it. */
  function isSettled(call: StandingCall): boolean {
    const isCalled = call.setup.callee.user === endpoint.owner;
    return !isCalled || call.winnerEndpoint !== null || call.wasOffered(endpoint.id);
  }

  /** A call on its way between the two; null where the chat stands elsewhere or was refused here; undefined: neither. */
  function standing(peer: UserId): StandingCall | null | undefined {
    // Where the PBX itself calls the peer, the owner has no end.
    const calls = exchange
      .callsBetween(endpoint.owner, peer)
      .filter((call) => call.callerEndpoint !== null || call.setup.callee.user === endpoint.owner);
    return calls.find((call) => call.state.phase === 'offering') ?? (calls.some(isSettled) ? null : undefined);
  }

  /** The same, and where nothing concerns this device a call of the PBX's own. */
  async function underWay(peer: UserId): Promise<StandingCall | null> {
    const before = standing(peer);
    if (before !== undefined) return before;
    const [owner, sender] = await Promise.all([
      directory.party({ by: 'id', value: endpoint.owner }),
      directory.party({ by: 'id', value: peer }),
    ]);
    if (owner === null || sender === null) return null;
    const meanwhile = standing(peer);
    return meanwhile === undefined ? exchange.callFor(partyOf(sender), partyOf(owner)) : meanwhile;
  }

  /** A call of the owner's own that nobody took says nothing about his wish to read: then the PBX calls. */
  async function waitFor(peer: UserId): Promise<Held | null> {
    for (;;) {
      const call = await underWay(peer);
      await call?.settled;
      const found = held(peer);
      if (found !== null || call === null || call.setup.callee.user === endpoint.owner) return found;
    }
  }

  /** Runs `use` with the held end: at once where nothing of this peer waits, else behind it. */
  function withLine(peer: UserId, use: (line: Held) => void): boolean | Promise<boolean> {
    const before = waiting.get(peer);
    const line = before === undefined ? held(peer) : null;
    if (line !== null) {
      use(line);
      return true;
    }
    const queue = before ?? { size: 0, tail: Promise.resolve(), isReleased: false };
    if (queue.size >= MAX_WAITING_TEXTS) {
      // What waits goes with the chat: none of it may call the device anew.
      queue.isReleased = true;
      waiting.delete(peer);
      for (const call of exchange.callsBetween(endpoint.owner, peer)) call.hangUp(CAUSE.protocol);
      return false;
    }
    queue.size++;
    waiting.set(peer, queue);
    const result = queue.tail.then(async () => {
      if (queue.isReleased) return false;
      const found = held(peer) ?? (await waitFor(peer));
      if (found !== null) use(found);
      return found !== null;
    });
    queue.tail = result.then(done, done);
    return result;
    function done(): void {
      queue.size--;
      if (queue.size === 0 && waiting.get(peer) === queue) waiting.delete(peer);
    }
  }

  return {
    deliver: (message, resume) =>
      withLine(message.sender, ({ call, user }) => {
        call.touch();
        user.text(message, { direction: 'in', resume });
      }),
    echo(message, resume) {
      const line = held(message.recipient);
      line?.call.touch();
      line?.user.text(message, { direction: 'out', resume });
    },
    chatState: (change) => held(change.from)?.user.chatState(change.state),
    reach: (from) => withLine(from, () => undefined),
  };
}
