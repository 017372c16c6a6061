export { handleUnreadable, type UnreadableHandler } from './app.ts';
export { addressTest, plainAddress, type ClientAddresses } from './client-address.ts';
export { corsHeaders, installCors, type CorsOptions } from './cors.ts';
export { createForwarder, type Forwarder, type ForwarderParts, type ForwardTarget } from './forwarder.ts';
export { createHops, HOP_HEADER, type Hop, type Hops } from './hops.ts';
export { Http, type CloseOptions, type HttpOptions } from './http.ts';
export { pathOf } from './host-check.ts';
export {
  DEFAULT_LIMITS,
  MAX_BYTES_BEFORE_LOGIN,
  MAX_MESSAGES_BEFORE_LOGIN,
  silentObserver,
  type HttpLimits,
  type HttpObserver,
  type LimitName,
} from './limits.ts';
export type { ListenAddress } from './listener.ts';
export { createLobby, type Lobby, type Place } from './lobby.ts';
export type { PathRule, RawHandler, UpgradeHandler } from './mounts.ts';
export { createOrigins, type OriginKind, type Origins } from './origins.ts';
export { refuseUpgrade } from './refusal.ts';
export { PAGE_POLICY } from './security-headers.ts';
export { TurnJoiner } from './turn-joiner.ts';
export { createWebSocketAcceptor, type AcceptOptions, type AcceptWebSocket } from './websocket-acceptor.ts';
export { encodeBinary, encodeText, encodeUtf8, type EncodedFrame } from './websocket-frame.ts';
export type { BeforeLogin, Sent, WebSocketPort } from './websocket-port.ts';
