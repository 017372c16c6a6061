export { encodeFrame, FrameReader, type Framing, MAX_PAYLOAD_BYTES } from './codec.ts';
export * from './engine.ts';
