/** What the bench orders from the agent. Plain data: it goes from process to process. */

export type Surface = 'bare' | 'appws' | 'stomp' | 'sockjs';
export type FanOutSurface = 'bare' | 'appws-presence' | 'stomp-topic' | 'bare-events' | 'chat-api';
export type IdleSurface = 'bare' | 'appws' | 'appws-registered' | 'stomp' | 'chat-api';

export type LoadSpec =
  /** One-to-one chat between users 2n and 2n+1; with two ports the receivers are on the second. */
  | {
      readonly kind: 'pairs';
      readonly surface: Surface;
      readonly ports: readonly number[];
      readonly pairs: number;
      readonly users: UserKind;
      readonly hasMarkup: boolean;
    }
  /** One publisher, many receivers. */
  | { readonly kind: 'fan-out'; readonly surface: FanOutSurface; readonly port: number; readonly receivers: number }
  /** Requests that each become an event at one subscriber. */
  | { readonly kind: 'posts'; readonly surface: 'bare-events' | 'chat-api'; readonly port: number }
  /** Connections that log in and go. */
  | { readonly kind: 'logins'; readonly surface: 'bare' | 'appws'; readonly port: number }
  /** Connections that stand and do nothing. */
  | { readonly kind: 'idle'; readonly surface: IdleSurface; readonly port: number };

/** How hard it is driven. `ratePerSecond` in place of a closed loop. */
export interface Drive {
  /** What each sender has under way at most. */
  readonly window: number;
  readonly ratePerSecond?: number;
}

/** What came of a run: everything that was begun in it has arrived. */
export interface Outcome {
  readonly count: number;
  /** From sending to arrival, of each; only with `ratePerSecond`. */
  readonly latenciesMs: readonly number[];
}

export interface Load {
  start(drive: Drive): void;
  /** Begins nothing more, and waits for what is under way. */
  stop(): Promise<Outcome>;
  /** Of idle connections: opens more until there are so many. */
  grow(count: number): Promise<void>;
  close(): void;
}

/** Accounts of the benchmark's world: `u0`… without the storage right, `s0`… with it. */
export type UserKind = 'u' | 's';
export const USERS = 400;
export const DOMAIN = 'bench.test';
export const PASSWORD = 'bench';
export const userName = (kind: UserKind, n: number): string => `${kind}${n % USERS}`;

/** 100 bytes, as somebody might write them; a number makes texts differ. */
export function sampleText(hasMarkup: boolean, n = 0): string {
  const text = hasMarkup
    ? `<b>Dear all</b>, the <i>meeting</i> begins at ten &amp; ends at noon in room`
    : 'Dear all, the meeting begins at ten and ends at noon, please bring the figures to room';
  return `${text} ${String(n).padStart(99 - text.length, '0')}`;
}

const ARRIVES_WITHIN_MS = 20_000;

/** Waits until everything has arrived. @throws where something has not */
export async function settled(underWay: () => number): Promise<void> {
  const deadline = performance.now() + ARRIVES_WITHIN_MS;
  while (underWay() > 0) {
    if (performance.now() > deadline) throw new Error(`${underWay()} never arrived`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Runs `work` for 0…count-1, a few at a time. */
export async function eachOf(count: number, atOnce: number, work: (n: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, lane));
}
