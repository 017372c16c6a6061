import { unreachable } from '../../kit/index.ts';
import type { ServerMessage } from './messages.ts';

/** PING after so long without an octet from the server (TM §5.5). */
export const PING_IDLE_MS = 15_000;
/** The extended profile's proof of life: without an octet for so long the connection counts as lost. */
export const SILENCE_MS = 35_000;

/** How the connection to the TapiServer stands. */
export interface Link {
  readonly phase: 'new' | 'connecting' | 'up' | 'waiting' | 'closed';
  /** There was a connection before this one. */
  readonly hasBeenUp: boolean;
  /** The outage is in the log: attempts are told at debug only (TM TC-10). */
  readonly isOutageTold: boolean;
  /** The extended profile holds for this connection. */
  readonly isExtended: boolean;
  /** HELLO counts as the first frame only. */
  readonly hasHeardFrame: boolean;
  readonly heardAt: number;
  readonly pingedAt: number;
}

export type LinkInput =
  | { readonly kind: 'start' }
  | { readonly kind: 'connected' }
  /** The attempt failed, or the connection is gone. */
  | { readonly kind: 'lost'; readonly reason: string }
  /** Octets came, whatever they are. */
  | { readonly kind: 'heard' }
  | { readonly kind: 'message'; readonly message: ServerMessage }
  | { readonly kind: 'timer' }
  | { readonly kind: 'close' };

export type LinkEffect =
  | { readonly do: 'connect' }
  /** Tell the server every number; `stopFirst` per TM TC-21. */
  | { readonly do: 'resync'; readonly stopFirst: boolean }
  | { readonly do: 'ping'; readonly token: string }
  /** End this connection, without another word. */
  | { readonly do: 'drop' }
  /** What was known through the connection is void. */
  | { readonly do: 'down' }
  | { readonly do: 'say-goodbye' }
  /** Call back with `timer` after `ms`, in place of any earlier timer; null = no timer. */
  | { readonly do: 'timer'; readonly ms: number | null }
  | { readonly do: 'call'; readonly message: Extract<ServerMessage, { kind: 'new-call' | 'call-state' }> }
  /** The server refuses a command of ours: code, command and its arguments. */
  | { readonly do: 'refused'; readonly fields: readonly string[] }
  | {
      readonly do: 'log';
      readonly level: 'debug' | 'info' | 'warn';
      readonly message: string;
      readonly about?: string;
    };

export interface LinkStep {
  readonly link: Link;
  readonly effects: readonly LinkEffect[];
}

export interface LinkRules {
  readonly reconnectMs: number;
  readonly resync: 'listen' | 'stop-listen';
}

export const newLink: Link = {
  phase: 'new',
  hasBeenUp: false,
  isOutageTold: false,
  isExtended: false,
  hasHeardFrame: false,
  heardAt: 0,
  pingedAt: 0,
};

/** The life of the connection (TM §5.3 to §5.5): pure. */
export function stepLink(link: Link, input: LinkInput, now: number, rules: LinkRules): LinkStep {
  if (link.phase === 'closed') return { link, effects: [] };
  switch (input.kind) {
    case 'start':
      return link.phase === 'new' ? connecting(link) : { link, effects: [] };
    case 'connected':
      return link.phase === 'connecting' ? up(link, now, rules) : { link, effects: [] };
    case 'lost':
      return lost(link, input.reason, rules);
    case 'heard':
      return link.phase === 'up' ? { link: { ...link, heardAt: now }, effects: [] } : { link, effects: [] };
    case 'message':
      return link.phase === 'up' ? heard(link, input.message, now) : { link, effects: [] };
    case 'timer':
      return timer(link, now, rules);
    case 'close': {
      const effects: LinkEffect[] = [{ do: 'timer', ms: null }];
      if (link.phase === 'up') effects.push({ do: 'say-goodbye' }, { do: 'down' });
      else effects.push({ do: 'drop' });
      return { link: { ...link, phase: 'closed', isExtended: false }, effects };
    }
    default:
      return unreachable(input);
  }
}

function connecting(link: Link): LinkStep {
  const next: Link = { ...link, phase: 'connecting', isExtended: false, hasHeardFrame: false };
  return { link: next, effects: [{ do: 'log', level: 'debug', message: 'connecting' }, { do: 'connect' }] };
}

function up(link: Link, now: number, rules: LinkRules): LinkStep {
  const next: Link = { ...link, phase: 'up', hasBeenUp: true, isOutageTold: false, heardAt: now, pingedAt: now };
  return {
    link: next,
    effects: [
      // Before anything else (TM TC-20).
      { do: 'resync', stopFirst: link.hasBeenUp && rules.resync === 'stop-listen' },
      { do: 'log', level: 'info', message: 'connected' },
    ],
  };
}

function lost(link: Link, reason: string, rules: LinkRules): LinkStep {
  if (link.phase !== 'up' && link.phase !== 'connecting') return { link, effects: [] };
  const wasUp = link.phase === 'up';
  const effects: LinkEffect[] = [{ do: 'drop' }];
  if (wasUp) effects.push({ do: 'down' });
  const level = link.isOutageTold ? 'debug' : 'warn';
  effects.push({ do: 'log', level, message: wasUp ? 'connection lost' : 'cannot connect', about: reason });
  // A fixed delay after the failure, for ever (TM TC-10).
  effects.push({ do: 'timer', ms: rules.reconnectMs });
  return { link: { ...link, phase: 'waiting', isOutageTold: true, isExtended: false }, effects };
}

function heard(before: Link, message: ServerMessage, now: number): LinkStep {
  const link: Link = { ...before, hasHeardFrame: true };
  switch (message.kind) {
    case 'new-call':
      return { link, effects: [{ do: 'call', message }] };
    case 'call-state':
      return link.isExtended ? { link, effects: [{ do: 'call', message }] } : unknown(link, 'CALLSTATE');
    case 'hello': {
      if (before.hasHeardFrame) return unknown(link, 'HELLO');
      const effects: LinkEffect[] = [
        { do: 'log', level: 'info', message: 'extended profile', about: message.product },
        { do: 'timer', ms: PING_IDLE_MS },
      ];
      return { link: { ...link, isExtended: true, pingedAt: now }, effects };
    }
    case 'pong':
      return link.isExtended ? { link, effects: [] } : unknown(link, 'PONG');
    case 'ok':
      return {
        link,
        effects: [
          { do: 'log', level: 'debug', message: 'the server agrees', about: about(message.fields.slice(0, 1)) },
        ],
      };
    case 'error': {
      const effects: LinkEffect[] = [
        { do: 'log', level: 'warn', message: 'the server refuses', about: about(message.fields) },
      ];
      if (link.isExtended) effects.push({ do: 'refused', fields: message.fields });
      return { link, effects };
    }
    case 'malformed':
      return { link, effects: [{ do: 'log', level: 'debug', message: 'malformed message', about: message.name }] };
    case 'unknown':
      return unknown(link, message.name);
    default:
      return unreachable(message);
  }
}

function unknown(link: Link, name: string): LinkStep {
  return { link, effects: [{ do: 'log', level: 'debug', message: 'unknown message', about: name }] };
}

/** Code and command; what follows may be numbers and is left out. */
function about(fields: readonly string[]): string {
  return fields.slice(0, 2).join(',').slice(0, 64);
}

function timer(link: Link, now: number, rules: LinkRules): LinkStep {
  if (link.phase === 'waiting') return connecting(link);
  if (link.phase !== 'up' || !link.isExtended) return { link, effects: [] };
  if (now - link.heardAt >= SILENCE_MS) return lost(link, 'keep-alive failed', rules);
  const quietSince = Math.max(link.heardAt, link.pingedAt);
  const isDue = now - quietSince >= PING_IDLE_MS;
  const next: Link = isDue ? { ...link, pingedAt: now } : link;
  const nextPing = (isDue ? now : quietSince) + PING_IDLE_MS;
  const effects: LinkEffect[] = [{ do: 'timer', ms: Math.min(nextPing, link.heardAt + SILENCE_MS) - now }];
  if (isDue) effects.unshift({ do: 'ping', token: String(now) });
  return { link: next, effects };
}
