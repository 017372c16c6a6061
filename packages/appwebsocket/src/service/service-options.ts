import type { IncomingMessage } from 'node:http';
import type { AcceptorSettings, PasswordAnswer, PasswordRequest } from '../handshake/acceptor-model.ts';
import type { AppIdentity } from '../handshake/identity.ts';
import type { AppInfoAnswer, PbxInfo } from '../wire/base-messages.ts';
import type { JsonObject } from '../wire/envelope.ts';
import type { ServiceLimits } from './limits.ts';
import type { ServiceConnection } from './service-connection.ts';

/** A password, several that are tried in order, nothing for an unknown app, or a verdict of one's own. */
export type FoundPassword = string | readonly string[] | undefined | PasswordAnswer;

/** Finds the password of a login by `app`, `pbxObj`, `domain`, `sip`, at once or later (AW §3.8). */
export type PasswordLookup = (request: PasswordRequest) => FoundPassword | Promise<FoundPassword>;

/** The password of an instance: fixed, several that are tried in order, or looked up. */
export type PasswordSource = string | readonly string[] | PasswordLookup;

/** What an app service is. `password` is all it needs. */
export interface AppServiceOptions extends Pick<AcceptorSettings, 'domain' | 'build' | 'admit'> {
  /** Directory of the App URL: `/example.com/tool` for `https://host/example.com/tool/acme-tool`. Default `/`. */
  readonly path?: string | undefined;
  readonly password: PasswordSource;
  /** What the PBX is told about the app (AW §5.2). */
  readonly appInfo?: AppInfoAnswer | ((app: string) => AppInfoAnswer) | undefined;
  /** Somebody has logged in: a page, another service, a PBX. */
  readonly onLogin?: ((connection: ServiceConnection) => void) | undefined;
  /** A PBX has logged in and told its APIs: from here on they can be used on the connection. */
  readonly onPbx?: ((connection: ServiceConnection, pbx: PbxInfo) => void | Promise<void>) | undefined;
  /**
   * Messages that no handler and no API object takes: with it, answering them is yours too. A returned promise holds
   * reading back until it settles.
   */
  readonly onMessage?: ((message: JsonObject, connection: ServiceConnection) => void | Promise<void>) | undefined;
  /** A connection that had logged in is closed. */
  readonly onClose?: ((connection: ServiceConnection) => void) | undefined;
  /** A login failed, or a limit was hit: for logs. No secrets are in it. */
  readonly onRefused?: ((reason: string, address: string) => void) | undefined;
  /** A handler or look-up threw. Default: a process warning. */
  readonly onError?: ((error: unknown) => void) | undefined;
  /** Where a request comes from; needed behind a reverse proxy. Default: the address of the socket. */
  readonly addressOf?: ((request: IncomingMessage) => string) | undefined;
  readonly limits?: Partial<ServiceLimits> | undefined;
}

/** One request of a peer, in the hands of its handler. */
export interface Call {
  readonly connection: ServiceConnection;
  readonly identity: AppIdentity;
  readonly mt: string;
  readonly api: string | undefined;
  readonly src: unknown;
  /** Sends an indication under the request's `src`, now or later (AW §2 rule 2). Throws `not-connected`. */
  tell(mt: string, members?: JsonObject): void;
  /** Aborted when the connection closes: end what the request has started. */
  readonly signal: AbortSignal;
}

/**
 * Handles one message type. What it returns is sent as `<mt>Result`; nothing returned, nothing sent. Throw a
 * {@link Refusal} to answer with an error.
 */
export type Handler = (message: JsonObject, call: Call) => object | void | Promise<object | void>;

/** Handlers of one API, by `mt`. */
export type Handlers = Readonly<Record<string, Handler>>;

/** Thrown by a handler: the answer carries its text as `error`. Anything else thrown is reported, and answered "internal error". */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}
