export { TransportFailure } from './port.ts';
export type {
  Connection,
  Endpoint,
  Flow,
  FlowFinder,
  Protocol,
  Target,
  Transport,
  TransportFailureCode,
} from './port.ts';
export { SipTransports, openTransports } from './transports.ts';
export type { TransportsOptions } from './transports.ts';
export type { Listener, ListenerOptions } from './listener.ts';
export type { TlsIdentity, TlsTrust } from './streams.ts';
export { DEFAULT_LIMITS, MAX_DATAGRAM_REQUEST } from './limits.ts';
export type { TransportLimits } from './limits.ts';
export { defaultPort, isSecureProtocol, replyFlow, stampVia, viaFor } from './via.ts';
export { keepAlive } from './keep-alive.ts';
export type { KeepAliveOptions } from './keep-alive.ts';
