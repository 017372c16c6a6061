import type { Conversations } from '../../core/conversations/index.ts';
import type { Directory, LoginGuard } from '../../core/directory/index.ts';
import type { Exchange } from '../../core/exchange/index.ts';
import type { PresenceService } from '../../core/presence/index.ts';
import type { Delivery } from '../../delivery/index.ts';
import type { Http } from '../../http/index.ts';
import type { Clock, Ids } from '../../kit/index.ts';

/** What the surface records; observe implements it. */
export interface AppWsObserver {
  opened(): void;
  closed(): void;
  loggedIn(who: { readonly kind: 'app' | 'user'; readonly name: string }): void;
  loginFailed(address: string, account: string): void;
  limitHit(name: string, address: string): void;
  slowReader(user: string): void;
  /** A message of somebody on this surface was accepted. */
  messageSent(): void;
  /** Something that is no peer's doing. */
  trouble(what: string, error: unknown): void;
}

export interface AppWsParts {
  readonly http: Pick<Http, 'mountUpgrade' | 'acceptWebSocket' | 'lobby' | 'onDrain' | 'addresses'>;
  readonly directory: Directory;
  readonly guard: LoginGuard;
  readonly presence: PresenceService;
  readonly conversations: Conversations;
  readonly exchange: Exchange;
  readonly delivery: Delivery;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly domain: string;
  /** A peer that reads nothing of what waits for it is closed after so long: it comes back with its position. */
  readonly slowReaderMs: number;
  readonly observer: AppWsObserver;
}
