import type { Position } from '../../core/journal/index.ts';
import type { ReadDesk } from './read-desk.ts';
import type { Bounds } from './wire.ts';
import type { WriteDesk } from './write-desk.ts';

export interface StoreFigures {
  readonly commits: number;
  readonly units: number;
  readonly failedUnits: number;
  /** Units that wait for their commit, those under way included. */
  readonly queueDepth: number;
  readonly reads: number;
  readonly readDepth: number;
  readonly restarts: number;
  /** The database can be reached: changes and questions are taken. */
  readonly isAvailable: boolean;
  /** This node gives the positions. */
  readonly isSequencer: boolean;
  readonly head: Position;
  readonly oldest: Position;
}

/** What the two desks have done and hold. `bounds` and who is the sequencer each database knows its own way. */
export function figuresOf(parts: {
  readonly writes: WriteDesk;
  readonly reads: ReadDesk;
  readonly bounds: Bounds;
  readonly isSequencer: boolean;
}): StoreFigures {
  const { writes, reads, bounds, isSequencer } = parts;
  const { commits, units, failed } = writes.figures;
  const { head, oldest } = bounds;
  return {
    commits,
    units,
    failedUnits: failed,
    queueDepth: writes.depth,
    reads: reads.answered,
    readDepth: reads.depth,
    restarts: writes.restarts + reads.restarts,
    isAvailable: writes.isOpen && reads.isOpen,
    isSequencer,
    head,
    oldest,
  };
}
