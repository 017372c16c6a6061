import type { ChatState, ChatStateChange, Message } from '../core/conversations/index.ts';
import { createBoard, type NodeId, type Peers } from '../core/index.ts';
import type { UserId } from '../core/journal/index.ts';
import { type Clock, isJsonObject, type Json, type JsonObject, Problem } from '../kit/index.ts';

/** How long another node may take to hand a text over: a device may ring for 30 s before it accepts, and once again. */
export const HAND_MS = 65_000;

/** This node's live sessions, as the other nodes use them. */
export interface Near {
  reach(user: UserId, from: UserId): boolean | Promise<boolean>;
  hand(user: UserId, message: Message): boolean | Promise<boolean>;
  echo(user: UserId, message: Message): void;
  state(user: UserId, change: ChatStateChange): void;
  /** Whether a session shows texts at once; null where the user has none. */
  isAttended(user: UserId): boolean | null;
  /** Everybody with a live session. */
  users(): Iterable<UserId>;
}

/** Live sessions of other nodes. With one node, and for users who are nowhere else, everything here does nothing. */
export interface FarSessions {
  /** One answer for each node where the user has sessions. Never rejects: who can't be asked has not taken it. */
  reach(user: UserId, from: UserId): readonly Promise<boolean>[];
  hand(user: UserId, message: Message): readonly Promise<boolean>[];
  echo(user: UserId, message: Message): void;
  state(user: UserId, change: ChatStateChange): void;
  isAttended(user: UserId): boolean;
  /** What `near` says of this user has changed. */
  changed(user: UserId): void;
  close(): void;
}

export function openFarSessions(parts: {
  readonly peers: Peers;
  readonly clock: Clock;
  readonly near: Near;
  readonly onTrouble: (error: unknown) => void;
}): FarSessions {
  const { peers, clock, near, onTrouble } = parts;
  const board = createBoard<UserId, boolean>({
    peers,
    clock,
    name: 'sessions',
    own: { get: (user) => near.isAttended(user), keys: () => near.users() },
    encode: (isAttended) => isAttended,
    decode: (json) => (typeof json === 'boolean' ? json : null),
  });
  const stops = [
    peers.answer('sessions.reach', async (input) => {
      const { user, from } = objectOf(input);
      return near.reach(user as UserId, from as UserId);
    }),
    peers.answer('sessions.hand', async (input) => near.hand(...addressed(input))),
    peers.hear('sessions.echo', (input) => near.echo(...addressed(input))),
    peers.hear('sessions.state', (input) => {
      const { user, from, resource, state } = objectOf(input);
      near.state(user as UserId, { from: from as UserId, resource: resource as string, state: state as ChatState });
    }),
    () => board.close(),
  ];

  /** In parallel, and in the order of the calls at each node. */
  function askAll(user: UserId, kind: string, input: JsonObject): readonly Promise<boolean>[] {
    const nodes = board.of(user);
    return nodes.size === 0 ? NONE : [...nodes.keys()].map((node) => ask(node, kind, input));
  }

  async function ask(node: NodeId, kind: string, input: JsonObject): Promise<boolean> {
    try {
      return (await peers.ask(node, kind, input, HAND_MS)) === true;
    } catch (error) {
      if (!(error instanceof Problem && error.code === 'peer-down')) onTrouble(error);
      return false;
    }
  }

  return {
    reach: (user, from) => askAll(user, 'sessions.reach', { user, from }),
    hand: (user, message) =>
      board.of(user).size === 0 ? NONE : askAll(user, 'sessions.hand', { user, message: { ...message } }),
    echo(user, message) {
      if (board.of(user).size > 0) peers.tell('sessions.echo', { user, message: { ...message } });
    },
    state(user, change) {
      if (board.of(user).size > 0) peers.tell('sessions.state', { user, ...change });
    },
    isAttended: (user) => [...board.of(user).values()].includes(true),
    changed: (user) => board.changed(user),
    close() {
      for (const stop of stops) stop();
    },
  };
}

const NONE: readonly Promise<boolean>[] = [];

// What another node of this cluster has written, and checked when it came from its peer.

function objectOf(input: Json): JsonObject {
  if (!isJsonObject(input)) throw new Error('what another node has written is no object');
  return input;
}

function addressed(input: Json): readonly [UserId, Message] {
  const { user, message } = objectOf(input);
  return [user as UserId, objectOf(message ?? null) as unknown as Message];
}
