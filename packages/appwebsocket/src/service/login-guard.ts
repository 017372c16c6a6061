import type { PasswordAnswer, PasswordRequest } from '../handshake/acceptor-model.ts';
import { matchingPassword } from '../handshake/received-login.ts';
import { Failures } from './failures.ts';
import type { FailureRate } from './limits.ts';

/** Slows guessing down: by address, and by account and address. No account is closed to other addresses. */
export class LoginGuard {
  readonly #addresses: Failures;
  readonly #accounts: Failures;

  constructor(rates: { readonly addressFailures: FailureRate; readonly accountFailures: FailureRate }) {
    this.#addresses = new Failures(rates.addressFailures);
    this.#accounts = new Failures(rates.accountFailures);
  }

  /** False: nobody has failed, so nobody needs to be looked up. */
  get hasFailures(): boolean {
    return this.#addresses.size > 0;
  }

  /** Milliseconds until the address may try again; 0: now. */
  waitMs(address: string): number {
    return this.#addresses.waitMs(address, Date.now());
  }

  mayTry(address: string, request: PasswordRequest): boolean {
    return this.#accounts.waitMs(accountOf(address, request), Date.now()) === 0 && this.waitMs(address) === 0;
  }

  /** `AppCheckLogin` asks about any account of the service: a wrong one counts as a guess (AW §3.7). */
  checked(address: string, request: PasswordRequest, answer: PasswordAnswer): void {
    if ('accept' in answer) return;
    const { login, challenge } = request;
    const isEqual = 'passwords' in answer && matchingPassword(login, challenge, answer.passwords) >= 0;
    if (!isEqual) this.failed(address, request);
  }

  failed(address: string, request: PasswordRequest | undefined): void {
    const nowMs = Date.now();
    this.#addresses.add(address, nowMs);
    if (request !== undefined) this.#accounts.add(accountOf(address, request), nowMs);
  }
}

/** Long names make no long keys: what differs after 256 characters shares a count. */
function accountOf(address: string, { app, pbxObj, domain, sip }: PasswordRequest): string {
  return `${address} ${pbxObj ?? app} ${domain} ${sip}`.slice(0, 256);
}
