import type { Batch, TielineBell } from '../../core/index.ts';
import { Listeners } from '../../kit/index.ts';

/** The bell of a single node: in this process, in order, nothing lost. */
export function createMemoryBell(): TielineBell {
  const batches = new Listeners<Batch>();
  const stirs = new Listeners<null>();
  return { batches, ring: (batch) => batches.emit(batch), stirs, stir: () => stirs.emit(null) };
}
