import type { Batch, TielineBell } from '../../core/index.ts';
import { reasonOf } from '../../kit/index.ts';
import type { StoreLog } from './log.ts';

/** Rings for what stands already: a listener that fails is not the store's trouble. */
export function ringing(bell: Pick<TielineBell, 'ring'>, log: StoreLog): (batch: Batch) => void {
  return (batch) => {
    try {
      bell.ring(batch);
    } catch (error) {
      log.warn('a listener of the bell failed', { reason: reasonOf(error) });
    }
  };
}
