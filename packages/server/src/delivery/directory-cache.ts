import type { Core } from '../core/index.ts';
import { directoryStream } from '../core/journal/index.ts';
import type { Stop } from '../kit/index.ts';
import type { Delivery } from './delivery.ts';

/** Drops what a node holds of each thing that changes in the store. Begun before the surfaces, so that they hear of a change after it. */
export function keepCurrent(delivery: Delivery, core: Pick<Core, 'directory' | 'presence'>): Stop {
  return delivery.follow(directoryStream, ({ event }) => {
    if (event.kind === 'directory') core.directory.changed(event);
    if (event.kind === 'presence-stated') core.presence.restated(event.user);
  });
}
