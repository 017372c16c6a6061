import type { Cluster, NodeAddresses } from '../../core/cluster/index.ts';
import type { Calls } from '../../core/calls/index.ts';
import type { Conversations } from '../../core/conversations/index.ts';
import type { Directory, LoginGuard } from '../../core/directory/index.ts';
import type { PresenceService } from '../../core/presence/index.ts';
import type { Delivery } from '../../delivery/index.ts';
import type { Forwarder, Http } from '../../http/index.ts';
import type { Clock, Ids } from '../../kit/index.ts';
import type { ApplicationSessions } from './application-sessions.ts';
import type { TapiMessengerSettings } from './settings.ts';

/** What the surface records; observe implements it. */
export interface TapiMessengerObserver {
  opened(): void;
  closed(): void;
  loggedIn(who: { readonly kind: 'user'; readonly name: string }): void;
  loginFailed(address: string, account: string): void;
  limitHit(name: string, address: string): void;
  slowReader(user: string): void;
  /** A message of somebody on this surface was accepted. */
  messageSent(): void;
  /** Something that is no peer's doing. */
  trouble(what: string, error: unknown): void;
}

export interface TapiMessengerParts {
  readonly http: Pick<
    Http,
    'mountRaw' | 'mountUpgrade' | 'acceptWebSocket' | 'lobby' | 'onDrain' | 'addresses' | 'atTurnEnd' | 'isHop'
  >;
  readonly cluster: Cluster;
  /** The way to sessions on other nodes; without it there are none. */
  readonly otherNodes?: { readonly addresses: NodeAddresses; readonly forwarder: Forwarder };
  readonly directory: Directory;
  readonly guard: LoginGuard;
  readonly presence: PresenceService;
  readonly conversations: Conversations;
  readonly calls: Calls;
  readonly delivery: Delivery;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly domain: string;
  /** Where application sessions are looked up; the own directory by default. */
  readonly lookup?: ApplicationSessions;
  readonly settings: TapiMessengerSettings;
  readonly observer: TapiMessengerObserver;
}
