import { createHmac, timingSafeEqual } from 'node:crypto';
import { type Clock, Lru } from '../../kit/index.ts';
import { MAX_SPENT_TICKETS } from './limits.ts';

/**
 * Session tokens and tickets: a chat stream's id with a signature, so that every node knows them and nothing is stored.
 * A session token is as good as its stream lives; a ticket is good once, for a while. Being used once is known to one node.
 */
export interface Tokens {
  session(stream: string): string;
  /** The stream that a session token is for, or null. */
  openSession(token: string): string | null;
  ticket(stream: string): string;
  /** The stream that a ticket is for; null = expired, spent or not one of ours. Spends it. */
  spend(ticket: string): string | null;
  /** The stream of a ticket that may be spent already, for coming back with the cookie. */
  streamOf(ticket: string): string | null;
}

export function createTokens(parts: {
  readonly key: string | Buffer;
  readonly clock: Clock;
  readonly ticketMs: number;
  readonly nonce: () => string;
}): Tokens {
  const { key, clock, ticketMs, nonce } = parts;
  const spent = new Lru<string, true>(MAX_SPENT_TICKETS);

  function sign(kind: string, text: string): string {
    return createHmac('sha256', key).update(`chat-api ${kind} ${text}`).digest('base64url');
  }

  /** What was signed as `kind`, or null. */
  function verify(kind: string, token: string): string | null {
    const dot = token.lastIndexOf('.');
    if (dot < 0 || token.length > 512) return null;
    const given = Buffer.from(token.slice(dot + 1));
    const right = Buffer.from(sign(kind, token.slice(0, dot)));
    return given.length === right.length && timingSafeEqual(given, right) ? token.slice(0, dot) : null;
  }

  function openTicket(ticket: string): { readonly stream: string; readonly until: number } | null {
    const [stream, until] = verify('ticket', ticket)?.split('.') ?? [];
    return stream === undefined || until === undefined ? null : { stream, until: Number(until) };
  }

  return {
    session: (stream) => `${stream}.${sign('session', stream)}`,
    openSession: (token) => verify('session', token),
    ticket(stream) {
      const text = `${stream}.${clock.now() + ticketMs}.${nonce()}`;
      return `${text}.${sign('ticket', text)}`;
    },
    spend(ticket) {
      const opened = openTicket(ticket);
      if (opened === null || opened.until <= clock.now() || spent.get(ticket) === true) return null;
      spent.set(ticket, true);
      return opened.stream;
    },
    streamOf: (ticket) => openTicket(ticket)?.stream ?? null,
  };
}

/** Compares without telling by its time how much of a secret was right. */
export function isSecret(given: string, right: string): boolean {
  const hash = (text: string): Buffer => createHmac('sha256', 'compare').update(text).digest();
  return timingSafeEqual(hash(given), hash(right));
}
