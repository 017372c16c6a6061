import type { Clock } from '../clock/index.ts';
import type { SipRequest } from '../messages/index.ts';
import type { Transport } from '../transport/port.ts';
import type { ClientTransaction } from './client-transaction.ts';
import type { TimerValues } from './machine.ts';
import type { ServerTransaction } from './server-transaction.ts';

/** What a running transaction stands on; the layer implements it. */
export interface TransactionGround {
  readonly clock: Clock;
  readonly timers: TimerValues;
  readonly transport: Transport;
  onRequest(transaction: ServerTransaction, request: SipRequest): void;
  forgetClient(transaction: ClientTransaction): void;
  forgetServer(transaction: ServerTransaction): void;
}
