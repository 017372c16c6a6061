/** What a final response, or none, to a request in a dialog means for others (RFC 5057 5). */
export type FailureScope =
  /** The request failed, nothing else. */
  | 'transaction'
  /** This use of the dialog (the call, the subscription) is over; others stay. */
  | 'usage'
  /** Every use of the dialog is over. */
  | 'dialog';

const DIALOG_ENDS: ReadonlySet<number> = new Set([404, 410, 416, 482, 483, 484, 485, 502, 604]);

/** `isInviteUsage`: whether the request belonged to the call. 408 stands for no answer at all (RFC 3261 12.2.1.2). */
export function scopeOfFailure(status: number, isInviteUsage: boolean): FailureScope {
  if (status === 408 || status === 481) return isInviteUsage || status === 408 ? 'usage' : 'transaction';
  if (status === 405 || status === 480 || status === 501) return 'transaction';
  if (status === 489) return 'usage';
  return DIALOG_ENDS.has(status) ? 'dialog' : 'transaction';
}
