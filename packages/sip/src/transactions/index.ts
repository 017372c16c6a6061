export { ClientTransaction, type ClientTransactionUser } from './client-transaction.ts';
export { ackFor, cancelFor } from './derived.ts';
export { Refusal, SipError, statusOf, type SipErrorCode } from './errors.ts';
export { inviteClientStart, stepInviteClient, type InviteClientState } from './invite-client.ts';
export { inviteServerStart, stepInviteServer, type InviteServerState } from './invite-server.ts';
export { MAGIC_COOKIE } from './keys.ts';
export { MAX_TRANSACTIONS, TransactionLayer, type TransactionLayerOptions, type TransactionUser } from './layer.ts';
export {
  DEFAULT_TIMERS,
  type ClientInput,
  type Effect,
  type FailureCause,
  type MachineContext,
  type ServerInput,
  type Step,
  type TimerName,
  type TimerValues,
} from './machine.ts';
export { nonInviteClientStart, stepNonInviteClient, type NonInviteClientState } from './non-invite-client.ts';
export { nonInviteServerStart, stepNonInviteServer, type NonInviteServerState } from './non-invite-server.ts';
export { ResponseContext, TIMER_C_MS } from './response-context.ts';
export { responseFlow } from './response-flow.ts';
export { SentAlone } from './sent-alone.ts';
export { ServerTransaction, type ServerTransactionUser } from './server-transaction.ts';
