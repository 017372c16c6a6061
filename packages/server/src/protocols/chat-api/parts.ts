import type { Calls } from '../../core/calls/index.ts';
import type { Conversations } from '../../core/conversations/index.ts';
import type { Cluster } from '../../core/index.ts';
import type { Directory, LoginGuard } from '../../core/directory/index.ts';
import type { PresenceService } from '../../core/presence/index.ts';
import type { Delivery } from '../../delivery/index.ts';
import type { Http } from '../../http/index.ts';
import type { Clock, Ids } from '../../kit/index.ts';
import type { ChatApiLimits } from './limits.ts';

/** What the surface records; observe implements it. */
export interface ChatApiObserver {
  /** An event stream. */
  opened(): void;
  closed(): void;
  loggedIn(user: string): void;
  loginFailed(address: string, account: string): void;
  limitHit(name: string, address: string): void;
  slowReader(user: string): void;
  /** A message of somebody on this surface was accepted. */
  messageSent(): void;
  /** Something that is no peer's doing. */
  trouble(what: string, error: unknown): void;
}

export interface ChatApiSettings {
  /** The shared secret of trusted servers; null = there is none. */
  readonly secret: string | null;
  /** Signs session tokens and tickets; the same on every node, derived from the server's key. */
  readonly tokenKey: string | Buffer;
  readonly limits?: Partial<ChatApiLimits>;
}

export interface ChatApiParts {
  readonly http: Pick<Http, 'app' | 'origins' | 'addresses' | 'atTurnEnd' | 'joinWrites' | 'onDrain'>;
  readonly cluster: Cluster;
  readonly directory: Directory;
  readonly guard: LoginGuard;
  readonly presence: PresenceService;
  readonly conversations: Conversations;
  readonly calls: Calls;
  readonly delivery: Delivery;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly domain: string;
  readonly settings: ChatApiSettings;
  readonly observer: ChatApiObserver;
}
