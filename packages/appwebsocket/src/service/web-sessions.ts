import { randomHex } from '../crypto/digests.ts';
import type { IssuedChallenge } from '../handshake/acceptor-model.ts';
import type { AppIdentity } from '../handshake/identity.ts';
import { CHALLENGE_LIFETIME_MS, MAX_HTTP_CHALLENGES } from '../wire/bounds.ts';

/**
 * Visitors who have logged in and are remembered.
 * @peer the oldest log in anew
 * @test web-sessions: web sessions remember no more
 */
const MAX_WEB_SESSIONS = 100_000;

interface WebSession {
  readonly identity: AppIdentity;
  readonly sessionKey: string;
  readonly sinceMs: number;
}

/** Challenges and logins by session id, both bounded; nothing here needs a timer. */
export class WebSessions {
  readonly #challenges = new Map<string, IssuedChallenge>();
  readonly #sessions = new Map<string, WebSession>();
  readonly #lifetimeMs: number;

  constructor(lifetimeMs: number) {
    this.#lifetimeMs = lifetimeMs;
  }

  get sizes(): { readonly challenges: number; readonly sessions: number } {
    return { challenges: this.#challenges.size, sessions: this.#sessions.size };
  }

  /** A fresh challenge for a visitor, who may have had another: only the latest is valid. */
  challenge(id: string): string {
    const challenge = { text: randomHex(8), issuedAtMs: Date.now() };
    put(this.#challenges, id, challenge, MAX_HTTP_CHALLENGES);
    return challenge.text;
  }

  /** The challenge is consumed whatever comes of the login (AW §3.2). */
  takeChallenge(id: string): string | undefined {
    const challenge = this.#challenges.get(id);
    this.#challenges.delete(id);
    if (challenge === undefined || Date.now() - challenge.issuedAtMs > CHALLENGE_LIFETIME_MS) return undefined;
    return challenge.text;
  }

  /** A session for one who has logged in, under an id that nobody knew before. */
  open(identity: AppIdentity, sessionKey: string): string {
    const id = randomHex(16);
    put(this.#sessions, id, { identity, sessionKey, sinceMs: Date.now() }, MAX_WEB_SESSIONS);
    return id;
  }

  find(id: string): WebSession | undefined {
    const session = this.#sessions.get(id);
    if (session === undefined || Date.now() - session.sinceMs <= this.#lifetimeMs) return session;
    this.#sessions.delete(id);
    return undefined;
  }

  end(id: string): void {
    this.#challenges.delete(id);
    this.#sessions.delete(id);
  }
}

function put<T>(map: Map<string, T>, id: string, value: T, most: number): void {
  map.delete(id);
  map.set(id, value);
  if (map.size <= most) return;
  const oldest = map.keys().next();
  if (oldest.done !== true) map.delete(oldest.value);
}
