/** A registration of ours with a registrar (RFC 3261 10.2, RFC 5626 4.5). */
export interface RegistrationState {
  readonly name: 'idle' | 'registering' | 'registered' | 'waiting' | 'leaving' | 'ended';
  /** Seconds that we ask for. */
  readonly expires: number;
  /** Failures in a row. */
  readonly failures: number;
}

export type RegistrationInput =
  | { readonly on: 'start' }
  /** The registrar granted this many seconds. */
  | { readonly on: 'granted'; readonly expires: number }
  /** 423 (RFC 3261 10.2.8). */
  | { readonly on: 'too-brief'; readonly minExpires: number }
  /** Another failure that may pass; with the Retry-After of the answer, in seconds. */
  | { readonly on: 'failed'; readonly retryAfter: number | undefined }
  /** Nothing that we do will help: wrong credentials, forbidden. */
  | { readonly on: 'refused' }
  | { readonly on: 'timer' }
  /** The flow is dead (RFC 5626 4.2.1, 4.4). */
  | { readonly on: 'flow-lost' }
  | { readonly on: 'stop' }
  /** Our un-registration was answered, or not in time. */
  | { readonly on: 'left' };

export type RegistrationEffect =
  | { readonly do: 'register'; readonly expires: number }
  | { readonly do: 'schedule'; readonly ms: number }
  | { readonly do: 'cancel-timer' }
  | { readonly do: 'tell-registered' }
  | { readonly do: 'tell-failed'; readonly retryMs: number | undefined }
  | { readonly do: 'end' };

export interface RegistrationStep {
  readonly state: RegistrationState;
  readonly effects: readonly RegistrationEffect[];
}

export interface BackoffPolicy {
  readonly baseMs: number;
  readonly maxMs: number;
}

/** RFC 5626 4.5: 30 s doubled with each failure, at most half an hour; and each wait at random between half and the whole of it. */
export const DEFAULT_BACKOFF: BackoffPolicy = { baseMs: 30_000, maxMs: 1_800_000 };

export function backoffMs(failures: number, policy: BackoffPolicy, random: () => number): number {
  const ceiling = Math.min(policy.maxMs, policy.baseMs * 2 ** Math.min(failures, 30));
  return ceiling * (0.5 + random() / 2);
}

/** When to refresh: at 80 to 90 percent of the time, or half of it where that is under a minute (so that a retry still fits). */
export function refreshMs(expires: number, random: () => number): number {
  return expires < 60 ? expires * 500 : expires * 1_000 * (0.8 + random() / 10);
}

export const registrationStart = (expires: number): RegistrationState => ({ name: 'idle', expires, failures: 0 });

export interface RegistrationContext {
  readonly backoff: BackoffPolicy;
  readonly random: () => number;
}

type Effects = readonly RegistrationEffect[];

const step = (state: RegistrationState, change: Partial<RegistrationState>, ...effects: Effects): RegistrationStep => ({
  state: { ...state, ...change },
  effects,
});

/**
 * More than this a registrar can't mean: a 423 that asks for more is a refusal.
 * @peer a refusal
 * @test registration/machine: 423
 */
const MAX_MIN_EXPIRES_S = 86_400;

export function stepRegistration(
  state: RegistrationState,
  input: RegistrationInput,
  context: RegistrationContext,
): RegistrationStep {
  if (state.name === 'ended') return step(state, {});
  if (input.on === 'stop') return stop(state);
  if (state.name === 'leaving') return input.on === 'timer' ? step(state, {}) : leave(state, input);
  switch (input.on) {
    case 'start':
      return state.name === 'idle' ? register(state) : step(state, {});
    case 'timer':
      return register(state);
    case 'granted': {
      const next = { name: 'registered', failures: 0 } as const;
      const ms = refreshMs(input.expires, context.random);
      return step(state, next, { do: 'schedule', ms }, { do: 'tell-registered' });
    }
    case 'too-brief':
      if (input.minExpires <= state.expires || input.minExpires > MAX_MIN_EXPIRES_S)
        return fail(state, undefined, context);
      return register({ ...state, expires: input.minExpires });
    case 'failed':
      return fail(state, input.retryAfter, context);
    case 'refused':
      return step(state, { name: 'ended' }, { do: 'tell-failed', retryMs: undefined }, { do: 'end' });
    case 'flow-lost':
      // RFC 5626 4.4: at once, on a new flow; only when that fails we wait.
      return state.name === 'registered' ? register(state, { do: 'cancel-timer' }) : step(state, {});
    case 'left':
      return step(state, {});
  }
}

function register(state: RegistrationState, ...first: Effects): RegistrationStep {
  return step(state, { name: 'registering' }, ...first, { do: 'register', expires: state.expires });
}

function fail(
  state: RegistrationState,
  retryAfter: number | undefined,
  context: RegistrationContext,
): RegistrationStep {
  const wait = Math.max((retryAfter ?? 0) * 1_000, backoffMs(state.failures, context.backoff, context.random));
  const ms = Math.min(wait, context.backoff.maxMs);
  const next = { name: 'waiting', failures: state.failures + 1 } as const;
  return step(state, next, { do: 'schedule', ms }, { do: 'tell-failed', retryMs: ms });
}

function stop(state: RegistrationState): RegistrationStep {
  switch (state.name) {
    case 'idle':
    case 'waiting':
      return step(state, { name: 'ended' }, { do: 'cancel-timer' }, { do: 'end' });
    case 'registering':
    case 'registered':
      return step(state, { name: 'leaving' }, { do: 'cancel-timer' }, { do: 'register', expires: 0 });
    case 'leaving':
    case 'ended':
      return step(state, {});
  }
}

function leave(state: RegistrationState, input: RegistrationInput): RegistrationStep {
  if (input.on === 'start' || input.on === 'flow-lost') return step(state, {});
  return step(state, { name: 'ended' }, { do: 'end' });
}
