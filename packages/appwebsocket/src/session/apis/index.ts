import type { PbxAdminApiMessages, PbxTableUsersMessages } from './directory.ts';
import type { PbxMessagesMessages } from './messages.ts';
import type { Operation } from './operation.ts';
import type { PbxApiMessages } from './pbx-api.ts';
import type { RccMessages } from './rcc.ts';
import type { PbxImpersonationMessages, ServicesMessages } from './services.ts';
import type { EpSignalMessages, PbxSignalMessages } from './signaling.ts';

export type * from './directory.ts';
export type * from './messages.ts';
export type { Operation, Op, Target } from './operation.ts';
export type * from './pbx-api.ts';
export type * from './rcc.ts';
export type * from './services.ts';
export type * from './signaling.ts';

/**
 * The messages of the PBX APIs, by `api` and `mt`: what `request()`, `list()` and `subscribe()` check. Add your own:
 * @example declare module '@tieline/appwebsocket' { interface Apis { 'com.acme.hello': { Hello: Op<{ name: string }, { text: string }> } } }
 */
export interface Apis {
  PbxApi: PbxApiMessages;
  PbxSignal: PbxSignalMessages;
  EpSignal: EpSignalMessages;
  PbxMessages: PbxMessagesMessages;
  RCC: RccMessages;
  PbxTableUsers: PbxTableUsersMessages;
  PbxAdminApi: PbxAdminApiMessages;
  PbxImpersonation: PbxImpersonationMessages;
  Services: ServicesMessages;
}

/** An `api` value whose messages are known. */
export type ApiName = keyof Apis;
/** An `mt` of the requests of an API. */
export type MessageName<A extends ApiName> = keyof Apis[A] & string;
type Part<A extends ApiName, M extends MessageName<A>, P extends keyof Operation> = Apis[A][M] extends Operation
  ? Apis[A][M][P]
  : never;
/** Members of a request. */
export type RequestOf<A extends ApiName, M extends MessageName<A>> = Part<A, M, 'request'>;
/** Members of a successful `…Result`. */
export type ResultOf<A extends ApiName, M extends MessageName<A>> = Part<A, M, 'result'>;
/** What is told under the `src` of a request. */
export type IndicationOf<A extends ApiName, M extends MessageName<A>> = Part<A, M, 'indication'>;

/** Members and options of a call; the members may be left out where none are needed. */
export type Arguments<A extends ApiName, M extends MessageName<A>, Options> =
  Readonly<Record<string, never>> extends RequestOf<A, M>
    ? [members?: RequestOf<A, M>, options?: Options]
    : [members: RequestOf<A, M>, options?: Options];
