import type { Headers } from '../messages/index.ts';

/** The Subscription-State header (RFC 6665 8.2.3). */
export interface SubscriptionStatus {
  readonly state: 'pending' | 'active' | 'terminated';
  /** Seconds left, by the notifier's word. */
  readonly expires: number | undefined;
  /** Why it is terminated: deactivated, probation, rejected, timeout, giveup, noresource, invariant … */
  readonly reason: string | undefined;
  readonly retryAfter: number | undefined;
}

/** Undefined where it is missing (the NOTIFY is broken, RFC 6665 4.1.3). Unknown states count as active. */
export function readSubscriptionState(headers: Headers): SubscriptionStatus | undefined {
  const given = headers.valueWithParams('Subscription-State');
  if (given === undefined) return undefined;
  const value = given.value.toLowerCase();
  return {
    state: value === 'pending' || value === 'terminated' ? value : 'active',
    expires: seconds(given.params.get('expires')),
    reason: given.params.get('reason')?.toLowerCase(),
    retryAfter: seconds(given.params.get('retry-after')),
  };
}

export function writeSubscriptionState(status: SubscriptionStatus): string {
  let out: string = status.state;
  if (status.expires !== undefined) out += `;expires=${status.expires}`;
  if (status.reason !== undefined) out += `;reason=${status.reason}`;
  if (status.retryAfter !== undefined) out += `;retry-after=${status.retryAfter}`;
  return out;
}

function seconds(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
