/** What a destination is (TM §3.5), as pure functions. */
export type Destination =
  | { readonly kind: 'request'; readonly path: string }
  | { readonly kind: 'reply' | 'errors' | 'messages' | 'user-queue' | 'unknown' }
  | { readonly kind: 'presence'; readonly user: string }
  | { readonly kind: 'room'; readonly room: string }
  | { readonly kind: 'topic'; readonly isPattern: boolean }
  | { readonly kind: 'queue' };

export const LISTEN = '/tapi/listen';
export const STOP = '/tapi/stop';
export const CALL = '/tapi/call';
export const LISTEN_REPLY = '/topic/is-listen-init';
export const CALL_REPLY = '/topic/is-call-init';
export const INCOMING = '/user/queue/incoming-call';
export const CALL_STATE = '/user/queue/call-state';
export const MESSAGES = '/user/queue/messages';
export const ERRORS = '/user/queue/errors';
const PRESENCE = '/topic/presence.';
const ROOM = '/topic/room.';
/** Topics that only the server publishes to, and that no pattern matches (design §7). */
const SERVER_TOPICS = ['/topic/is-', PRESENCE, ROOM] as const;

export function isServerTopic(destination: string): boolean {
  return SERVER_TOPICS.some((prefix) => destination.startsWith(prefix));
}

/** A missing leading slash of `/tapi/…` is forgiven (TM ST-23). */
export function withSlash(destination: string): string {
  return destination.startsWith('tapi/') ? `/${destination}` : destination;
}

export function destinationOf(text: string): Destination {
  const destination = withSlash(text);
  if (destination.startsWith('/tapi/')) return { kind: 'request', path: destination };
  if (destination === LISTEN_REPLY || destination === CALL_REPLY) return { kind: 'reply' };
  if (destination === ERRORS) return { kind: 'errors' };
  if (destination === MESSAGES) return { kind: 'messages' };
  if (destination.startsWith('/user/queue/')) return { kind: 'user-queue' };
  if (destination.startsWith(PRESENCE)) return { kind: 'presence', user: destination.slice(PRESENCE.length) };
  if (destination.startsWith(ROOM)) return { kind: 'room', room: destination.slice(ROOM.length) };
  if (destination.startsWith('/topic/') && !isServerTopic(destination))
    return { kind: 'topic', isPattern: /[*?]/.test(destination) };
  return destination.startsWith('/queue/') ? { kind: 'queue' } : { kind: 'unknown' };
}
