/** STOMP 1.0, 1.1, 1.2 (TM §3): codec, heart-beats and the connection as a pure machine. */
export { stepConnection } from './connection-machine.ts';
export { newConnection } from './connection-state.ts';
export type {
  AckMode,
  ConnectionEffect,
  ConnectionInput,
  ConnectionSettings,
  ConnectionState,
  Subscription,
} from './connection-state.ts';
export { FrameDecoder } from './decoder.ts';
export type { Decoded } from './decoder.ts';
export { encodeFrame, heartBeat } from './encode.ts';
export type { StompError } from './errors.ts';
export { defaultFrameLimits } from './frame.ts';
export type { Frame, FrameLimits, Header, OutFrame, StompVersion } from './frame.ts';
export { judgeHeartBeat } from './heart-beat.ts';
export type { HeartBeat } from './heart-beat.ts';
export { SharedMessage } from './shared-message.ts';
