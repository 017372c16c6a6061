import { appLoginDigest } from '../src/crypto/digests.ts';
import type {
  AcceptorEffect,
  AcceptorInput,
  AcceptorSettings,
  AcceptorState,
  PasswordAnswer,
} from '../src/handshake/acceptor-model.ts';
import { acceptorStart, acceptorStep } from '../src/handshake/acceptor.ts';

export const PASSWORD = 'geheim-ä';

export const send = (message: unknown): AcceptorInput => ({ type: 'text', text: JSON.stringify(message) });

export const infoOfObject = (name: string): Record<string, unknown> => ({
  appobj: name,
  appdn: name,
  cn: name,
  apps: [],
});

/** Text of an `AppLogin` with a right digest. */
export function loginText(login: Record<string, unknown>, challenge: string, password = PASSWORD): string {
  const { info, ...names } = login as Record<string, string> & { info?: unknown };
  const infoText = info === undefined || info === null ? undefined : JSON.stringify(info);
  const digest = appLoginDigest({ ...names, info: infoText }, challenge, password);
  return JSON.stringify({ mt: 'AppLogin', ...login, digest });
}

/** Drives the pure acceptor with a clock and a counter instead of time and chance. */
export class AcceptorBench {
  state: AcceptorState = acceptorStart();
  nowMs = 1_000;
  random = 0;
  private readonly settings: AcceptorSettings;
  private ticket = 0;

  constructor(settings: AcceptorSettings = {}) {
    this.settings = settings;
  }

  step(input: AcceptorInput): readonly AcceptorEffect[] {
    const newChallenge = (): string => (0x1000 + this.random++).toString(16).padStart(16, '0');
    const { state, effects } = acceptorStep(this.state, input, { nowMs: this.nowMs, newChallenge }, this.settings);
    this.state = state;
    for (const effect of effects) if (effect.type === 'lookup') this.ticket = effect.ticket;
    return effects;
  }

  challenge(): string {
    const [effect] = this.step(send({ mt: 'AppChallenge' }));
    if (effect?.type !== 'send') throw new Error('no challenge');
    return (JSON.parse(effect.text) as { challenge: string }).challenge;
  }

  answer(answer: PasswordAnswer = { passwords: [PASSWORD] }): readonly AcceptorEffect[] {
    return this.step({ type: 'looked-up', ticket: this.ticket, answer });
  }

  /** Sends a login and answers the look-up, if one comes. */
  login(login: Record<string, unknown>, challenge: string, password = PASSWORD): readonly AcceptorEffect[] {
    const effects = this.step({ type: 'text', text: loginText(login, challenge, password) });
    return effects.some((effect) => effect.type === 'lookup') ? this.answer() : effects;
  }
}
