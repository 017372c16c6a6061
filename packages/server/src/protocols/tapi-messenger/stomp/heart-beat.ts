/** Heart-beats as pure functions (TM ST-14). All times in milliseconds. */
export interface HeartBeat {
  /** The server sends something at least so often; 0 = never promised. */
  readonly sendMs: number;
  /** The client sends something at least so often; 0 = never promised. */
  readonly expectMs: number;
}

const noHeartBeat: HeartBeat = { sendMs: 0, expectMs: 0 };

/** What the client's `heart-beat` header and our shortest interval agree on; undefined where the header is malformed. */
export function agreeHeartBeat(header: string | undefined, minMs: number): HeartBeat | undefined {
  if (header === undefined) return noHeartBeat;
  const [, cx, cy] = /^(\d{1,9}),(\d{1,9})$/.exec(header) ?? [];
  if (cx === undefined || cy === undefined) return undefined;
  if (minMs === 0) return noHeartBeat;
  const agree = (ms: number): number => (ms === 0 ? 0 : Math.max(ms, minMs));
  return { sendMs: agree(Number(cy)), expectMs: agree(Number(cx)) };
}

/** When the peers were last heard of. */
export interface LastHeard {
  readonly sentAt: number;
  readonly heardAt: number;
}

export interface HeartBeatVerdict {
  readonly isBeatDue: boolean;
  readonly isLost: boolean;
  /** When to look again; Infinity = never. */
  readonly nextAt: number;
}

/** A server's beat goes out after 0.8 of its interval; a client may be late by as much again and a second. */
export function judgeHeartBeat(beat: HeartBeat, last: LastHeard, now: number): HeartBeatVerdict {
  const lostAt = beat.expectMs === 0 ? Infinity : last.heardAt + 2 * beat.expectMs + 1_000;
  const beatAt = beat.sendMs === 0 ? Infinity : last.sentAt + 0.8 * beat.sendMs;
  const isBeatDue = now >= beatAt;
  const nextBeatAt = isBeatDue ? now + 0.8 * beat.sendMs : beatAt;
  return { isBeatDue, isLost: now >= lostAt, nextAt: Math.min(lostAt, nextBeatAt) };
}
