import type { User } from '../../core/directory/index.ts';
import type { Actor } from '../../core/permissions/index.ts';
import type { Header, SharedMessage, Subscription } from './stomp/index.ts';

/** A trouble that does not end the session, as it stands in `/user/queue/errors` (TM AP-40). */
export interface Report {
  readonly code: string;
  readonly message: string;
  readonly destination: string;
  /** The receipt that the frame asked for and does not get. */
  readonly receipt?: string;
  /** Where to go on after a `resync`. */
  readonly position?: string;
}

/** What one copy of a message has of its own. */
export interface Extra {
  readonly headers?: readonly Header[];
  /** Where it was sent to, for a subscription to a pattern. */
  readonly destination?: string;
}

/** A connected STOMP session, as the application sees it. */
export interface Client {
  /** TM SJ-50: what the page calls its session. Not unique. */
  readonly label: string;
  /** Unique: what messages of this session carry as their sender's resource. */
  readonly resource: string;
  readonly user: User | null;
  readonly actor: Actor;
  /** Aborted at the end of the session. */
  readonly signal: AbortSignal;
  /** The peer reads: false while too much waits for it. */
  readonly isWritable: boolean;
  /** Calls `run` once when the peer has taken what waits, if the session still stands. The same `run` is called once. */
  whenWritable(run: () => void): void;
  /** Own subscriptions to exactly this destination. */
  subscriptionsTo(destination: string): readonly Subscription[];
  /** Returns the copy's message-id. */
  send(subscription: Subscription, message: SharedMessage, extra?: Extra): string;
  /** To `/user/queue/errors`, if the session listens there. */
  report(report: Report): void;
  end(code: number, reason: string): void;
}

/** Sends to all own subscriptions of `destination`; false where there is none. */
export function sendToOwn(client: Client, destination: string, message: SharedMessage): boolean {
  const subscriptions = client.subscriptionsTo(destination);
  for (const subscription of subscriptions) client.send(subscription, message);
  return subscriptions.length > 0;
}
