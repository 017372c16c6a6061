/**
 * Reliable provisional responses (RFC 3262). The server may have one unacknowledged at a time (3); it starts with any RSeq below 2^31.
 */
export interface ReliableServer {
  /** The RSeq used last. */
  readonly rseq: number;
  /** Whether that one still waits for its PRACK. */
  readonly isPending: boolean;
}

export const reliableServer = (firstRSeq: number): ReliableServer => ({ rseq: firstRSeq - 1, isPending: false });

/** Undefined: one is pending, this one has to wait. */
export function nextReliable(state: ReliableServer): ReliableServer | undefined {
  return state.isPending ? undefined : { rseq: state.rseq + 1, isPending: true };
}

export interface RAck {
  readonly rseq: number;
  readonly cseq: number;
  readonly method: string;
}

export function parseRAck(text: string | undefined): RAck | undefined {
  const match = /^(\d{1,10})[ \t]+(\d{1,10})[ \t]+([A-Za-z0-9\-.!%*_+`'~]+)$/.exec(text ?? '');
  return match === null ? undefined : { rseq: Number(match[1]), cseq: Number(match[2]), method: match[3] ?? '' };
}

/** A PRACK came. Undefined: it matches nothing that waits (481, RFC 3262 3). */
export function acknowledged(state: ReliableServer, rack: RAck, inviteSeq: number): ReliableServer | undefined {
  const isOurs = state.isPending && rack.rseq === state.rseq && rack.cseq === inviteSeq && rack.method === 'INVITE';
  return isOurs ? { rseq: state.rseq, isPending: false } : undefined;
}

/** The client's side: the RSeq taken last; undefined before the first (RFC 3262 4). */
export type ReliableClient = number | undefined;

export type ReliableVerdict =
  /** The next in order: PRACK it and pass it on. */
  | 'take'
  /** Seen already: its PRACK is under way and repeats itself. */
  | 'repeat'
  /** One before it is missing: neither PRACK nor pass on. */
  | 'gap';

export function judgeReliable(state: ReliableClient, rseq: number): ReliableVerdict {
  if (state === undefined || rseq === state + 1) return 'take';
  return rseq <= state ? 'repeat' : 'gap';
}
