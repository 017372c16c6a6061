import type { UserId } from '../../../core/journal/index.ts';

/**
 * The cookie with which a browser opens event streams: an `EventSource` can't send headers. It holds the session token, reaches
 * the event streams only, no script reads it, and no other site's page sends it.
 */
export interface CookieOptions {
  readonly user: UserId;
  readonly isSecure: boolean;
}

const PATH = '/sse';
/**
 * Longer than any token; cookies of others are not looked at.
 * @peer not looked at
 * @test chat-api/limits: a cookie
 */
const MAX_VALUE_CHARS = 512;

/** One for each user: tabs of one browser may be signed in as several. */
function nameOf(user: UserId): string {
  return `tieline-sse-${user}`;
}

/**
 * It ends with the browser's session, not with the logoff: who comes back with it gets 404 and stops; without it the browser
 * would ask for a password.
 */
export function sessionCookie(token: string, { user, isSecure }: CookieOptions): string {
  return `${nameOf(user)}=${token}; Path=${PATH}; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`;
}

/** The session token that a browser sent for this user, or null. */
export function cookieOf(header: string | undefined, user: UserId): string | null {
  const prefix = `${nameOf(user)}=`;
  for (const pair of header?.split(';') ?? []) {
    const text = pair.trim();
    if (text.startsWith(prefix) && text.length <= prefix.length + MAX_VALUE_CHARS) return text.slice(prefix.length);
  }
  return null;
}
