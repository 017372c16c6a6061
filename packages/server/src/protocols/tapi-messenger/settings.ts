import { defaultFrameLimits } from './stomp/index.ts';
import { sockJsDefaults } from './sockjs/index.ts';

/** The keys below `tapi.` that this surface reads (TM §1). Those of the TapiServer belong to its engine. */
export interface TapiMessengerSettings {
  readonly sockjs: {
    readonly prefix: string;
    readonly allowedOrigins: readonly string[];
    readonly maxBodyBytes: number;
    readonly heartbeatMs: number;
    readonly disconnectDelayMs: number;
    readonly responseLimitBytes: number;
    readonly websocket: boolean;
    readonly cookieNeeded: boolean;
    readonly clientUrl: string;
    readonly selftest: boolean;
  };
  readonly stomp: {
    readonly connectTimeoutMs: number;
    readonly maxFrameBytes: number;
    readonly maxHeaders: number;
    readonly maxHeaderLineBytes: number;
    readonly heartbeatMinMs: number;
    readonly sendBufferBytes: number;
    readonly sendTimeLimitMs: number;
    readonly maxSubscriptions: number;
  };
  readonly auth: {
    readonly mode: 'optional' | 'required' | 'none' | 'static';
    /** Login to passcode, for `static`. */
    readonly users: Readonly<Record<string, string>>;
  };
  readonly broker: { readonly clientPublish: readonly string[] };
  readonly replies: { readonly scope: 'session' | 'topic' };
  readonly userQueue: { readonly apexFallback: boolean };
  readonly caller: { readonly unknownName: string; readonly lookup: boolean };
  readonly dial: { readonly minIntervalMs: number };
  readonly lookup: { readonly timeoutMs: number };
  readonly compat: { readonly seedSnippet: boolean };
}

export const tapiMessengerDefaults: TapiMessengerSettings = {
  sockjs: { ...sockJsDefaults, selftest: false },
  stomp: {
    ...defaultFrameLimits,
    connectTimeoutMs: 60_000,
    heartbeatMinMs: 1_000,
    sendBufferBytes: sockJsDefaults.sendBufferBytes,
    sendTimeLimitMs: sockJsDefaults.sendTimeLimitMs,
    maxSubscriptions: 256,
  },
  auth: { mode: 'optional', users: {} },
  broker: { clientPublish: [] },
  replies: { scope: 'session' },
  userQueue: { apexFallback: true },
  caller: { unknownName: 'UNKNOWN', lookup: true },
  dial: { minIntervalMs: 0 },
  lookup: { timeoutMs: 5_000 },
  compat: { seedSnippet: true },
};
