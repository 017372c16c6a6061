import { createHmac, timingSafeEqual } from 'node:crypto';
import { type Clock, Lru } from '../../kit/index.ts';
import { MAX_KNOWN_TOKENS, MAX_SPENT_TICKETS } from './limits.ts';

/**
 * Session tokens and tickets: a chat stream's id with a signature, so that every node knows them and nothing is stored.
 * A session token is as good as its stream lives; a ticket is good once, for a while: the nodes tell each other which are spent.
 */
export interface Tokens {
  session(stream: string): string;
  /** The stream that a session token is for, or null. */
  openSession(token: string): string | null;
  ticket(stream: string): string;
  /** The stream that a ticket is for; null = expired, spent or not one of ours. Spends it. */
  spend(ticket: string): string | null;
  /** Another node has spent this one, as it has said by its `told`. */
  spentElsewhere(told: string): void;
  /** The stream of a ticket that may be spent already, for coming back with the cookie. */
  streamOf(ticket: string): string | null;
}

export function createTokens(parts: {
  readonly key: string | Buffer;
  readonly clock: Clock;
  readonly ticketMs: number;
  readonly nonce: () => string;
  /** A ticket was spent here: its text without the signature, which makes nobody a ticket. */
  readonly spent: (told: string) => void;
}): Tokens {
  const { key, clock, ticketMs, nonce } = parts;
  const spent = new Lru<string, true>(MAX_SPENT_TICKETS);
  /** Session tokens that have been checked, and their streams. What a signature says of them never changes. */
  const known = new Lru<string, string>(MAX_KNOWN_TOKENS);

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

  function openTicket(
    ticket: string,
  ): { readonly text: string; readonly stream: string; readonly until: number } | null {
    const text = verify('ticket', ticket) ?? '';
    const [stream, until] = text.split('.');
    return stream === undefined || until === undefined ? null : { text, stream, until: Number(until) };
  }

  return {
    session: (stream) => `${stream}.${sign('session', stream)}`,
    openSession(token) {
      const before = known.get(token);
      if (before !== undefined) return before;
      const stream = verify('session', token);
      if (stream !== null) known.set(token, stream);
      return stream;
    },
    ticket(stream) {
      const text = `${stream}.${clock.now() + ticketMs}.${nonce()}`;
      return `${text}.${sign('ticket', text)}`;
    },
    spend(ticket) {
      const opened = openTicket(ticket);
      if (opened === null || opened.until <= clock.now() || spent.get(opened.text) === true) return null;
      spent.set(opened.text, true);
      parts.spent(opened.text);
      return opened.stream;
    },
    spentElsewhere: (told) => spent.set(told, true),
    streamOf: (ticket) => openTicket(ticket)?.stream ?? null,
  };
}

/** Compares without telling by its time how much of a secret was right. */
export function isSecret(given: string, right: string): boolean {
  const hash = (text: string): Buffer => createHmac('sha256', 'compare').update(text).digest();
  return timingSafeEqual(hash(given), hash(right));
}
