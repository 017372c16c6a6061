/** When a WebSocket peer gets a heartbeat or a ping, and when it counts as dead (TM SJ-34), as pure functions. */
export interface Liveness {
  readonly sentAt: number;
  readonly heardAt: number;
  /** When a ping went out that nothing has followed yet. */
  readonly pingedAt: number | undefined;
}

export interface LivenessLimits {
  readonly heartbeatMs: number;
  readonly pongMs: number;
}

export interface LivenessVerdict {
  readonly next: Liveness;
  readonly isHeartbeatDue: boolean;
  readonly isPingDue: boolean;
  readonly isDead: boolean;
}

/** When to look again. */
export function livenessDueAt(state: Liveness, limits: LivenessLimits): number {
  const listen = state.pingedAt === undefined ? state.heardAt + limits.heartbeatMs : state.pingedAt + limits.pongMs;
  return Math.min(state.sentAt + limits.heartbeatMs, listen);
}

export function judgeLiveness(state: Liveness, limits: LivenessLimits, now: number): LivenessVerdict {
  const isDead = state.pingedAt !== undefined && now - state.pingedAt >= limits.pongMs;
  const isHeartbeatDue = now - state.sentAt >= limits.heartbeatMs;
  const isPingDue = state.pingedAt === undefined && now - state.heardAt >= limits.heartbeatMs;
  return {
    next: {
      sentAt: isHeartbeatDue ? now : state.sentAt,
      heardAt: state.heardAt,
      pingedAt: isPingDue ? now : state.pingedAt,
    },
    isHeartbeatDue,
    isPingDue,
    isDead,
  };
}
