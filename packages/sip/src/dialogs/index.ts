export { stepCallee, type CalleeEffect, type CalleeInput, type CalleeState } from './callee.ts';
export { stepCaller, type CallerEffect, type CallerInput, type CallerState } from './caller.ts';
export {
  confirmedBy,
  dialogByRequest,
  dialogByResponse,
  dialogId,
  dialogIdOfRequest,
  idOf,
  isTargetRefresh,
  refreshed,
  dialogRoute,
  takeRequest,
  type Dialog,
  type DialogRoute,
} from './dialog.ts';
export { DialogTable, MAX_DIALOGS } from './dialog-table.ts';
export { scopeOfFailure, type FailureScope } from './failure.ts';
export { glareDelayMs, judgeInvite, judgeUpdate, lateRetryAfterS, type GlareVerdict, type OpenWork } from './glare.ts';
export { ackOf2xx, nextRequest, type InDialogRequest } from './in-dialog.ts';
export {
  acknowledged,
  judgeReliable,
  nextReliable,
  parseRAck,
  reliableServer,
  type RAck,
  type ReliableClient,
  type ReliableServer,
} from './reliable.ts';
export {
  afterTooSmall,
  LOWEST_MIN_SE,
  negotiateTimer,
  planTimer,
  settleTimer,
  type Refresher,
  type ServerVerdict,
  type SessionTimer,
  type SessionTimerPolicy,
  type TimerPlan,
  type TimerRequest,
} from './session-timer.ts';
