import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../../kit/index.ts';
import type { Admission } from './admission.ts';
import type { SockJsOptions } from './options.ts';
import type { AcceptWebSocket, ConnectionHandler, SockJsConnection } from './ports.ts';
import type { TurnEnd } from './turn-end.ts';

/** What the parts of one endpoint share. */
export interface Environment {
  readonly options: SockJsOptions;
  readonly clock: Clock;
  readonly turnEnd: TurnEnd;
  readonly admission: Admission;
  readonly acceptWebSocket: AcceptWebSocket;
  readonly addressOf: (req: IncomingMessage) => string;
  readonly open: (connection: SockJsConnection, req: IncomingMessage) => ConnectionHandler;
  readonly onDefect: (error: unknown) => void;
  /** Somebody of this address found no room for a session. */
  readonly onFull: (address: string) => void;
}
