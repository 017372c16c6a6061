import type { Directory } from '../core/directory/index.ts';
import { directoryStream } from '../core/journal/index.ts';
import type { Stop } from '../kit/index.ts';
import type { Delivery } from './delivery.ts';

/** Drops what the directory holds of each thing that changes. Begun before the surfaces, so that they hear of a change after it. */
export function keepDirectoryCurrent(delivery: Delivery, directory: Pick<Directory, 'changed'>): Stop {
  return delivery.follow(directoryStream, ({ event }) => {
    if (event.kind === 'directory') directory.changed(event);
  });
}
