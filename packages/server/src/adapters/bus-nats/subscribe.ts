import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import { reasonOf } from '../../kit/index.ts';
import type { BusLog } from './bus.ts';

/** What `take` throws stays here: through the client's reader it would make this node deaf until it connects again. */
export function subscribe(
  { nats, log }: { readonly nats: NatsConnection; readonly log: BusLog },
  subject: string,
  take: (message: Msg) => void,
): Subscription {
  return nats.subscribe(subject, {
    callback(error, message) {
      if (error !== null) return;
      try {
        take(message);
      } catch (failure) {
        log.warn('bus.news-failed', { kind: subject, reason: reasonOf(failure) });
      }
    },
  });
}
