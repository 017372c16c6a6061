import { type Clock, TokenBuckets } from '../../kit/index.ts';
import { tooManyAttempts } from './errors.ts';

/** How fast logins may fail (design §7). An account is never locked for other addresses. */
export interface LoginRates {
  readonly perAccount: { readonly burst: number; readonly refillMs: number };
  readonly perAddress: { readonly burst: number; readonly refillMs: number };
}

export const DEFAULT_LOGIN_RATES: LoginRates = {
  perAccount: { burst: 10, refillMs: 5_000 },
  perAddress: { burst: 100, refillMs: 100 },
};

/** Counts failed logins of every surface by (address, account) and by address. */
export interface LoginGuard {
  /** @throws too-many-attempts */
  admit(address: string, account: string): void;
  failed(address: string, account: string): void;
  /**
   * A login whose check takes its time: on its account it counts as failed until `end` says that it wasn't, so that many at once
   * are not more than one after the other. @throws too-many-attempts
   */
  attempt(address: string, account: string): { end(hasFailed: boolean): void };
}

export function createLoginGuard(clock: Clock, rates: LoginRates = DEFAULT_LOGIN_RATES): LoginGuard {
  const accounts = new TokenBuckets(clock, rates.perAccount);
  const addresses = new TokenBuckets(clock, rates.perAddress);
  const key = (address: string, account: string): string => `${address} ${account.slice(0, 256)}`;
  function admit(address: string, account: string): void {
    const wait = Math.max(accounts.waitMs(key(address, account)), addresses.waitMs(address));
    if (wait > 0) throw tooManyAttempts(wait);
  }
  return {
    admit,
    attempt(address, account) {
      admit(address, account);
      accounts.take(key(address, account));
      return {
        end(hasFailed) {
          if (hasFailed) addresses.take(address);
          else accounts.give(key(address, account));
        },
      };
    },
    failed(address, account) {
      accounts.take(key(address, account));
      addresses.take(address);
    },
  };
}
