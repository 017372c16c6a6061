import { Problem } from '../../kit/index.ts';

/** Place of an entry in the journal: dense, global, from 1. 0 = before the first. */
export type Position = number;

/** A resume token taken apart. */
export interface ResumePoint {
  readonly epoch: string;
  readonly position: Position;
}

/** The opaque text `epoch.position` that every surface hands out (design §5). */
export function formatResume(epoch: string, position: Position): string {
  return `${epoch}.${position}`;
}

/** @throws Problem `resync` where the text is no token of ours. */
export function parseResume(token: string): ResumePoint {
  const match = /^([0-9a-z]{1,64})\.(0|[1-9][0-9]{0,15})$/.exec(token);
  const [, epoch, position] = match ?? [];
  if (epoch === undefined || position === undefined) throw resync('unknown');
  return { epoch, position: Number(position) };
}

/** Why continuity can't be proved: another store (`epoch`), too long away (`expired`), not a token (`unknown`), too slow (`overflow`). */
export type ResyncReason = 'epoch' | 'expired' | 'unknown' | 'overflow';

export function resync(reason: ResyncReason): Problem {
  return new Problem('resync', 'Continuity cannot be proved; load a fresh state.', { subject: reason });
}
