import { type Clock, type Ids, reasonOf } from '../kit/index.ts';
import { callDirectory, type CallEngine, type CallLog, type Calls, createCalls } from './calls/index.ts';
import type { Cluster } from './cluster/index.ts';
import { type Conversations, createConversations, type Receivers } from './conversations/index.ts';
import {
  createDirectory,
  createLoginGuard,
  createPasswords,
  type Directory,
  type LoginGuard,
  type LoginRates,
  type Vault,
} from './directory/index.ts';
import { createExchange, type Exchange } from './exchange/index.ts';
import { startPolicies } from './policies.ts';
import type { TielineStore } from './ports.ts';
import { createPresence, type PresenceService } from './presence/index.ts';

/** Every context of one node, joined. */
export interface Core {
  readonly cluster: Cluster;
  readonly directory: Directory;
  readonly guard: LoginGuard;
  readonly presence: PresenceService;
  readonly conversations: Conversations;
  readonly exchange: Exchange;
  readonly calls: Calls;
  /** The telephone systems. Whoever has made them closes them, after `close`. */
  readonly engines: readonly CallEngine[];
  /** Writes down what has ended, stops what was started. Idempotent. */
  close(): Promise<void>;
}

/** The telephone systems, and which of them has a number (design §2: a number belongs to one engine). */
export interface Engines {
  readonly engines: readonly CallEngine[];
  readonly engineFor: (number: string) => CallEngine | null;
}

export interface CoreParts {
  readonly store: TielineStore;
  readonly cluster: Cluster;
  readonly receivers: Receivers;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly loginRates?: LoginRates;
  readonly log?: CallLog;
  /** How long a session whose connection broke still counts as present. */
  readonly presenceLingerMs?: number;
  /** How long a number is still listened to after its last listener. */
  readonly listenGraceMs?: number;
  /** Makes the engines: the built-in one stands on the exchange. */
  readonly engines: (built: { readonly exchange: Exchange; readonly directory: Directory }) => Engines;
}

export function createCore(parts: CoreParts): Core {
  const { store, receivers, vault, clock, ids } = parts;
  const guard = createLoginGuard(clock, parts.loginRates);
  const directory = createDirectory({ store, vault, passwords: createPasswords(), guard, clock, ids });
  const presence = createPresence({
    store,
    peers: parts.cluster.peers,
    clock,
    ...(parts.presenceLingerMs === undefined ? {} : { lingerMs: parts.presenceLingerMs }),
  });
  const conversations = createConversations({ store, directory, receivers, clock, ids });
  const exchange = createExchange({
    conversations,
    peers: parts.cluster.peers,
    clock,
    ids,
    onTrouble: (error) => parts.log?.warn('exchange.trouble', { reason: reasonOf(error) }),
  });
  const { engines, engineFor } = parts.engines({ exchange, directory });
  const calls = createCalls({
    store,
    directory: callDirectory(directory),
    cluster: parts.cluster,
    clock,
    ids,
    engines,
    engineFor,
    ...(parts.log === undefined ? {} : { log: parts.log }),
    ...(parts.listenGraceMs === undefined ? {} : { graceMs: parts.listenGraceMs }),
  });
  const stopPolicies = startPolicies({ calls, presence });
  return {
    cluster: parts.cluster,
    directory,
    guard,
    presence,
    conversations,
    exchange,
    calls,
    engines,
    async close() {
      stopPolicies();
      await calls.close();
      exchange.close();
      presence.close();
    },
  };
}
