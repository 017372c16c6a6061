import type { IncomingMessage } from 'node:http';
import type { AcceptorEnvironment, AcceptorSettings } from '../handshake/acceptor-model.ts';
import type { ServiceLimits } from './limits.ts';
import type { LoginGuard } from './login-guard.ts';
import type { Routes } from './routes.ts';
import type { ServiceConnection } from './service-connection.ts';
import type { AppServiceOptions } from './service-options.ts';

/** How a connection came in. */
export interface Arrival {
  readonly forwardedFor: string;
  readonly address: () => string;
}

/** What a connection needs of its service. */
export interface ConnectionHost {
  readonly options: AppServiceOptions;
  readonly limits: ServiceLimits;
  readonly settings: AcceptorSettings;
  readonly environment: AcceptorEnvironment;
  readonly routes: Routes;
  readonly guard: LoginGuard;
  addressOf(request: IncomingMessage): string;
  report(error: unknown): void;
  refused(reason: string, address: string): void;
  /** The login stands: it is no stranger any more. */
  admitted(connection: ServiceConnection): void;
  gone(connection: ServiceConnection, wasReady: boolean): void;
}
