import type { Clock, Timer } from '../clock/index.ts';
import { afterTooSmall, negotiateTimer, planTimer, settleTimer } from '../dialogs/index.ts';
import type { SessionTimerPolicy } from '../dialogs/index.ts';
import type { Headers } from '../messages/index.ts';

export interface SessionClockUser {
  /** It's our turn to refresh. */
  onRefresh(): void;
  /** The peer did not refresh in time. */
  onSilence(): void;
}

/** The session timer of one call (RFC 4028): reads and writes its headers, and runs. */
export class SessionClock {
  readonly #clock: Clock;
  readonly #policy: SessionTimerPolicy;
  readonly #user: SessionClockUser;
  #timer: Timer | undefined;
  #interval = 0;
  #isOurs = true;
  #minSE: number;

  constructor(clock: Clock, policy: SessionTimerPolicy, user: SessionClockUser) {
    this.#clock = clock;
    this.#policy = policy;
    this.#user = user;
    this.#interval = policy.expires;
    this.#minSE = policy.minSE;
  }

  /** Puts our wish on an INVITE or UPDATE. */
  ask(headers: Headers, isFirst: boolean): void {
    if (this.#interval === 0) return;
    // RFC 4028 7.1: the first request leaves the choice of the refresher to the server.
    const refresher = isFirst ? '' : `;refresher=${this.#isOurs ? 'uac' : 'uas'}`;
    headers.set('Session-Expires', `${this.#interval}${refresher}`);
    if (this.#minSE > 90) headers.set('Min-SE', this.#minSE);
  }

  /** A 422 (RFC 4028 7.3): false where another try is pointless. */
  raise(answer: Headers): boolean {
    const minSE = numberOf(answer, 'Min-SE');
    const next = afterTooSmall(this.#interval, minSE);
    if (next === undefined) return false;
    this.#interval = next;
    this.#minSE = Math.max(this.#minSE, next);
    return true;
  }

  /** A 2xx to our INVITE or UPDATE. */
  settle(answer: Headers): void {
    const given = answer.sessionExpires;
    const expires = given === undefined ? undefined : seconds(given.value);
    const settled = settleTimer(this.#interval, { expires, refresher: given?.params.get('refresher') });
    if (settled === undefined) return this.stop();
    this.#interval = settled.interval;
    this.#isOurs = settled.refresher === 'uac';
    this.#run();
  }

  /** The Min-SE of the 422 that an INVITE or UPDATE of the peer deserves. */
  refusal(request: Headers): number | undefined {
    const verdict = this.#judge(request);
    return verdict.is === 'too-small' ? verdict.minSE : undefined;
  }

  /** Agrees in our 2xx to an INVITE or UPDATE of the peer. */
  agree(request: Headers, answer: Headers): void {
    const verdict = this.#judge(request);
    if (verdict.is !== 'agreed') return this.stop();
    this.#interval = verdict.timer.interval;
    this.#isOurs = verdict.timer.refresher === 'uas';
    answer.set('Session-Expires', `${this.#interval};refresher=${verdict.timer.refresher}`);
    if (verdict.requires) answer.set('Require', 'timer');
    this.#run();
  }

  /** Our refresh failed: the session ends when its time is up, unless another change renews it (RFC 4028 10). */
  expire(): void {
    this.stop();
    this.#timer = this.#clock.after((this.#interval * 1_000) / 2, () => {
      this.#timer = undefined;
      this.#user.onSilence();
    });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #judge(request: Headers): ReturnType<typeof negotiateTimer> {
    const given = request.sessionExpires;
    return negotiateTimer(
      {
        expires: given === undefined ? undefined : seconds(given.value),
        refresher: given?.params.get('refresher')?.toLowerCase(),
        minSE: numberOf(request, 'Min-SE'),
        isSupported: request.supported.includes('timer') || request.require.includes('timer'),
      },
      this.#policy,
    );
  }

  #run(): void {
    this.stop();
    const plan = planTimer({ interval: this.#interval, refresher: 'uac' }, this.#isOurs ? 'uac' : 'uas');
    this.#timer = this.#clock.after(plan.afterMs, () => {
      this.#timer = undefined;
      if (plan.do === 'refresh') this.#user.onRefresh();
      else this.#user.onSilence();
    });
  }
}

function numberOf(headers: Headers, name: string): number | undefined {
  const given = headers.valueWithParams(name);
  return given === undefined ? undefined : seconds(given.value);
}

/** Delta-seconds; what is none counts as absent. */
function seconds(text: string): number | undefined {
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
