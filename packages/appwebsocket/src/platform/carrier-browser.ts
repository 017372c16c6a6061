import { DRAINED_BYTES } from '../wire/bounds.ts';
import type { Carrier, OpenCarrier } from './carrier.ts';

/** How often a browser's buffer is looked at: it has no event for it. */
const POLL_MS = 20;

/** A browser's WebSocket. It cannot hold back reading and has no ping. */
export const openCarrier: OpenCarrier = (url, events) => {
  const socket = new WebSocket(url);
  socket.onopen = () => events.opened();
  socket.onmessage = ({ data }: MessageEvent<unknown>) =>
    typeof data === 'string' ? events.text(data) : events.alive();
  socket.onclose = ({ code, reason }) => events.closed(code, reason);
  const carrier: Carrier = {
    canHoldBack: false,
    get bufferedBytes() {
      return socket.bufferedAmount;
    },
    send: (text) => socket.send(text),
    // A page may use 1000 and 3000 to 4999 only.
    close: (code, reason) => socket.close(code === 1000 ? code : 3000 + code, reason),
    destroy: () => socket.close(),
    holdBack: () => undefined,
    ping: () => false,
    drained: async () => {
      while (socket.bufferedAmount > DRAINED_BYTES && socket.readyState === socket.OPEN) {
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    },
  };
  return carrier;
};
