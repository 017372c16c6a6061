/** SockJS (TM §2): one endpoint under one prefix, seven transports, one kind of connection. */
export { SockJsEndpoint } from './endpoint.ts';
export type { SockJsParts } from './endpoint.ts';
export { sockJsDefaults } from './options.ts';
export type { SockJsOptions } from './options.ts';
export type {
  AcceptOptions,
  AcceptWebSocket,
  ClosingCause,
  ConnectionHandler,
  Elsewhere,
  OnConnection,
  SockJsConnection,
  Transport,
  WebSocketPort,
} from './ports.ts';
export { createSelfTestEndpoints } from './self-test.ts';
export { SharedText } from './shared-text.ts';
export { TurnEnd } from './turn-end.ts';
