import type { Clock } from '../../kit/index.ts';
import type { ChatStateChange, Message } from '../conversations/index.ts';
import type { Directory } from '../directory/index.ts';
import type { UserId } from '../journal/index.ts';
import { CAUSE, type EndpointId } from './model.ts';
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

/** Texts of one peer that wait, in the order of their coming. */
interface Queue {
  size: number;
  /** Texts that have come since it began. */
  arrived: number;
  tail: Promise<unknown>;
  /** What waits goes with the chat. */
  isReleased: boolean;
  /** Another device takes all texts up to this one, whatever has become of its chat meanwhile. */
  passedUpTo: number;
}

/** Whether the device that has a chat is there is asked again so often, until it is, or the chat has ended. */
const ASK_AGAIN_MS = 200;

interface Held {
  readonly call: StandingCall;
  readonly user: LegUser;
}

export function createChatLine(parts: {
  readonly endpoint: Endpoint;
  readonly exchange: Exchange;
  readonly directory: Pick<Directory, 'party'>;
  readonly clock: Clock;
}): ChatLine {
  const { endpoint, exchange, directory, clock } = parts;
  const waiting = new Map<UserId, Queue>();

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

  /** The device that has the owner's end of an answered call; null: none. */
  function holderOf(call: StandingCall): EndpointId | null {
    return call.setup.callee.user === endpoint.owner ? call.winnerEndpoint : call.callerEndpoint;
  }

  /** A call that says what becomes of texts of this peer here: on its way, had by another device, or refused by this one. */
  function standing(peer: UserId): StandingCall | undefined {
    // Where the PBX itself calls the peer, the owner has no end.
    const calls = [...exchange.callsBetween(endpoint.owner, peer)].filter(
      (call) => call.callerEndpoint !== null || call.setup.callee.user === endpoint.owner,
    );
    return (
      calls.find((call) => call.state.phase === 'offering') ??
      calls.find((call) => holderOf(call) !== null || call.wasOffered(endpoint.id))
    );
  }

  /** The same, and where there is none a call of the PBX's own. Null: one of the two is not there any more. */
  async function underWay(peer: UserId): Promise<StandingCall | null> {
    const before = standing(peer);
    if (before !== undefined) return before;
    const [owner, sender] = await Promise.all([
      directory.party({ by: 'id', value: endpoint.owner }),
      directory.party({ by: 'id', value: peer }),
    ]);
    if (owner === null || sender === null) return null;
    return standing(peer) ?? exchange.callFor(partyOf(sender), partyOf(owner));
  }

  /** `holder` has the call still, and takes the texts of its peer. One answer serves all that wait. */
  async function isTaken(call: StandingCall, holder: EndpointId, queue: Queue): Promise<boolean> {
    const upTo = queue.arrived;
    const hasIt = await exchange.hasIt(call, endpoint.owner, holder);
    if (hasIt) queue.passedUpTo = upTo;
    return hasIt;
  }

  /**
   * What this device waits with: null where another one has the chat, or this one has refused it. A call that ends otherwise, by
   * its caller or with its node, says nothing about the owner's wish to read: then the PBX calls.
   */
  async function waitFor(peer: UserId, queue: Queue): Promise<Held | null> {
    while (!queue.isReleased && exchange.endpointsOf(endpoint.owner).includes(endpoint)) {
      const call = await underWay(peer);
      if (call === null) return null;
      const winner = await call.settled;
      const found = held(peer);
      if (found !== null) return found;
      const holder = holderOf(call);
      if (call.cause !== null) {
        if (winner === null && call.hasRefused(endpoint.id)) return null;
      } else if (holder === null) {
        if (call.wasOffered(endpoint.id)) return null;
      } else {
        if (await isTaken(call, holder, queue)) return null;
        // Who has it, is not known to be there: its node is new, or dead and about to be missed.
        if (call.cause === null) await new Promise<void>((resolve) => clock.after(ASK_AGAIN_MS, resolve));
      }
    }
    return null;
  }

  /** Runs `use` with the held end: at once where nothing of this peer waits, else behind it. */
  function withLine(peer: UserId, use: (line: Held) => void): boolean | Promise<boolean> {
    const before = waiting.get(peer);
    const line = before === undefined ? held(peer) : null;
    if (line !== null) {
      use(line);
      return true;
    }
    const queue = before ?? { size: 0, arrived: 0, tail: Promise.resolve(), isReleased: false, passedUpTo: 0 };
    if (queue.size >= MAX_WAITING_TEXTS) {
      // What waits goes with the chat: none of it may call the device anew.
      queue.isReleased = true;
      waiting.delete(peer);
      for (const call of [...exchange.callsBetween(endpoint.owner, peer)]) call.hangUp(CAUSE.protocol);
      return false;
    }
    queue.size++;
    const number = ++queue.arrived;
    waiting.set(peer, queue);
    const result = queue.tail.then(async () => {
      if (queue.isReleased || number <= queue.passedUpTo) return false;
      const found = held(peer) ?? (await waitFor(peer, queue));
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
