import { describe, expect, test } from 'vitest';
import { appLoginDigest, appSessionKey } from '../src/crypto/digests.ts';
import type { InitiatorEffect, InitiatorInput, InitiatorSettings } from '../src/handshake/initiator-model.ts';
import { initiatorStart, initiatorStep } from '../src/handshake/initiator.ts';

const text = (message: unknown): InitiatorInput => ({ type: 'text', text: JSON.stringify(message) });
const challengeResult = text({ mt: 'AppChallengeResult', challenge: 'c1' });
const ok = text({ mt: 'AppLoginResult', ok: true, domain: 'd' });

class InitiatorBench {
  state;
  private readonly settings: InitiatorSettings;

  constructor(settings: Partial<InitiatorSettings> = {}) {
    this.settings = { app: 'tool', ...settings };
    this.state = initiatorStart(this.settings);
  }

  step(...inputs: InitiatorInput[]): readonly InitiatorEffect[] {
    let effects: readonly InitiatorEffect[] = [];
    for (const input of inputs) {
      const step = initiatorStep(this.state, input, this.settings);
      this.state = step.state;
      effects = step.effects;
    }
    return effects;
  }
}

type Phase = 'connecting' | 'open' | 'waiting' | 'challenged' | 'ready' | 'refused' | 'closed';

function stateAt(phase: Phase): InitiatorBench {
  const bench = new InitiatorBench(phase === 'waiting' ? {} : { credentials: { password: 'pwd' } });
  if (phase === 'closed') bench.step({ type: 'closed' });
  else if (phase !== 'connecting') bench.step({ type: 'opened' });
  if (!['connecting', 'open', 'closed'].includes(phase)) bench.step(challengeResult);
  if (phase === 'ready') bench.step(ok);
  if (phase === 'refused') bench.step(text({ mt: 'AppLoginResult' }));
  expect(bench.state.phase).toBe(phase === 'waiting' ? 'challenged' : phase);
  return bench;
}

describe('the table of phases and inputs', () => {
  const auth: InitiatorInput = { type: 'auth', credentials: { digest: 'x', key: 'k' } };
  const table: readonly (readonly [Phase, InitiatorInput, string, readonly string[]])[] = [
    ['connecting', { type: 'opened' }, 'open', ['send']],
    ['connecting', { type: 'closed' }, 'closed', []],
    ['connecting', { type: 'login-timeout' }, 'closed', ['close']],
    ['open', { type: 'opened' }, 'open', []],
    ['open', challengeResult, 'challenged', ['send']],
    ['open', ok, 'open', []],
    ['open', auth, 'open', []],
    ['open', text({ mt: 'KeepAlive' }), 'open', []],
    ['open', text({ api: 'X', mt: 'Y' }), 'open', []],
    ['open', text({ mt: 'CheckBuildResult' }), 'open', ['base-answer']],
    ['open', { type: 'text', text: 'x' }, 'closed', ['close']],
    ['open', { type: 'text', text: `{"mt":"A","x":"${'x'.repeat(70_000)}"}` }, 'closed', ['close']],
    ['open', { type: 'login-timeout' }, 'closed', ['close']],
    ['waiting', auth, 'challenged', ['send']],
    ['waiting', ok, 'challenged', []],
    ['waiting', challengeResult, 'challenged', []],
    ['challenged', auth, 'challenged', []],
    ['challenged', ok, 'ready', ['ready']],
    ['challenged', text({ mt: 'AppLoginResult', ok: false, errorText: 'no' }), 'refused', ['refused', 'close']],
    ['challenged', text({ mt: 'AppLoginResult' }), 'refused', ['refused', 'close']],
    ['challenged', { type: 'login-timeout' }, 'closed', ['close']],
    ['ready', challengeResult, 'ready', []],
    ['ready', ok, 'ready', []],
    ['ready', text({ mt: 'KeepAlive' }), 'ready', []],
    ['ready', text({ mt: 'AppChallenge' }), 'ready', []],
    ['ready', text({ mt: 'AppInfoResult', app: 'tool' }), 'ready', ['base-answer']],
    ['ready', text({ mt: 'AppCheckLoginResult', src: '1' }), 'ready', ['base-answer']],
    ['ready', text({ api: 'X', mt: 'Y' }), 'ready', ['message']],
    ['ready', text({ api: 'X', mt: 'KeepAlive' }), 'ready', ['message']],
    ['ready', text({ mt: 'Y' }), 'ready', ['message']],
    ['ready', { type: 'text', text: '[1]' }, 'ready', []],
    ['ready', { type: 'login-timeout' }, 'ready', []],
    ['ready', { type: 'closed' }, 'closed', []],
    ['refused', ok, 'refused', []],
    ['refused', { type: 'closed' }, 'closed', []],
    ['closed', { type: 'opened' }, 'closed', []],
    ['closed', auth, 'closed', []],
  ];
  for (const [phase, input, next, effects] of table) {
    const shown = input.type === 'text' ? input.text.slice(0, 60) : input.type;
    test(`${phase} + ${shown} → ${next} [${effects.join(' ')}]`, () => {
      const bench = stateAt(phase);
      expect(bench.step(input).map((effect) => effect.type)).toEqual(effects);
      expect(bench.state.phase).toBe(next);
    });
  }
});

describe('what goes over the wire', () => {
  const sent = (effects: readonly InitiatorEffect[]): unknown[] =>
    effects.flatMap((effect) => (effect.type === 'send' ? [JSON.parse(effect.text)] : []));

  test('AppChallenge is bare, or names user and appObj', () => {
    expect(sent(new InitiatorBench().step({ type: 'opened' }))).toEqual([{ mt: 'AppChallenge' }]);
    const bench = new InitiatorBench({ user: 'alice', appObj: 'tool', checkBuildUrl: 'https://h/1/a.htm' });
    expect(sent(bench.step({ type: 'opened' }))).toEqual([
      { mt: 'CheckBuild', url: 'https://h/1/a.htm' },
      { mt: 'AppChallenge', user: 'alice', appObj: 'tool' },
    ]);
  });

  test('a password login has no info, no key and no pbxObj', () => {
    const bench = new InitiatorBench({ credentials: { password: 'pwd', domain: 'd', sip: 's', guid: 'g', dn: 'n' } });
    const signed = { app: 'tool', domain: 'd', sip: 's', guid: 'g', dn: 'n' };
    expect(sent(bench.step({ type: 'opened' }, challengeResult))).toEqual([
      { mt: 'AppLogin', ...signed, digest: appLoginDigest(signed, 'c1', 'pwd') },
    ]);
    expect(bench.state.sessionKey).toBe(appSessionKey('c1', 'pwd'));
  });

  test('a numeric challenge is taken as text', () => {
    const bench = new InitiatorBench({ credentials: { password: 'pwd' } });
    bench.step({ type: 'opened' }, text({ mt: 'AppChallengeResult', challenge: 47114711 }));
    expect(bench.state.sessionKey).toBe(appSessionKey('47114711', 'pwd'));
  });

  test('info is the very text that was signed', () => {
    const info = '{"cn":"quote \\" / é \\u0001","n":1.0,"2":1,"1":2}';
    const bench = new InitiatorBench();
    bench.step({ type: 'opened' }, challengeResult);
    const [effect] = bench.step({ type: 'auth', credentials: { app: 'x', info, digest: 'd', key: 'k', pbxObj: 'o' } });
    expect(effect).toEqual({
      type: 'send',
      text: `{"mt":"AppLogin","app":"x","domain":"","sip":"","guid":"","dn":"","digest":"d","pbxObj":"o","info":${info}}`,
    });
  });

  test('info that is no object is refused', () => {
    const bench = new InitiatorBench();
    bench.step({ type: 'opened' }, challengeResult);
    for (const info of ['', '[]', '"x"', '{', '{},"digest":"forged"']) {
      expect(() => bench.step({ type: 'auth', credentials: { info, digest: 'd' } })).toThrow(
        expect.objectContaining({ code: 'bad-info' }),
      );
    }
  });

  test('connection A: PbxInfo and AppInfo go out before anything else after the login (AW §3.1)', () => {
    const afterLogin = ['{"mt":"PbxInfo"}', '{"mt":"AppInfo","app":"tool"}'];
    const bench = new InitiatorBench({ credentials: { password: 'p' }, afterLogin });
    const effects = bench.step({ type: 'opened' }, challengeResult, ok);
    expect(effects.map((effect) => effect.type)).toEqual(['send', 'send', 'ready']);
    expect(sent(effects)).toEqual([{ mt: 'PbxInfo' }, { mt: 'AppInfo', app: 'tool' }]);
  });
});
