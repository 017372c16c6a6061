import type { JsonObject } from '../../wire/envelope.ts';
import type { None, Op } from './operation.ts';

/** An app service as `ServicesInfo` lists it (AW §6.2). `info` is absent while it is not connected. */
export interface ListedService {
  /** Name of the App object. */
  readonly name: string;
  readonly title?: string;
  /** Mostly `http(s)`; the whole of it is where to connect. */
  readonly url: string;
  readonly info?: { readonly apis?: Readonly<Record<string, JsonObject>> } | null;
}

/** The complete list, each time. */
export interface ServicesInfo {
  readonly mt: 'ServicesInfo';
  readonly services: readonly ListedService[];
}

/** A login at another app service (AW §6.3). `key` is its session key, encrypted with `salt` for this connection. */
export interface ServiceLoginResult {
  readonly domain: string;
  readonly sip: string;
  readonly guid: string;
  readonly dn: string;
  readonly pbxObj: string;
  readonly app: string;
  readonly info?: JsonObject;
  readonly digest: string;
  readonly salt: string;
  readonly key: string;
}

/** `api` `Services` (AW §6). */
export interface ServicesMessages {
  SubscribeServices: Op<None, object, ServicesInfo>;
  UnsubscribeServices: Op<None>;
  GetServiceLogin: Op<{ readonly app: string; readonly challenge: string }, ServiceLoginResult>;
}

/** `api` `PbxImpersonation` (PBX 10.2); `target` of the result is then used as `api`. */
export interface PbxImpersonationMessages {
  CreateApi: Op<
    { readonly sip: string; readonly target: 'PbxApi' | 'PbxSignal' | 'EpSignal' },
    { readonly target: string }
  >;
  DeleteApi: Op<{ readonly target: string }, { readonly ok?: boolean }>;
}
