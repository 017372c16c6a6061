import { describe, expect, test } from 'vitest';
import { appLoginDigest, appSessionKey } from '../src/crypto/digests.ts';
import type {
  AcceptorEffect,
  AcceptorInput,
  AcceptorSettings,
  AcceptorState,
} from '../src/handshake/acceptor-model.ts';
import { acceptorStart, acceptorStep } from '../src/handshake/acceptor.ts';
import {
  CHALLENGE_LIFETIME_MS,
  MAX_MESSAGE_BEFORE_LOGIN_BYTES,
  MAX_MESSAGE_BYTES,
  MAX_PENDING_CHECKS,
} from '../src/wire/bounds.ts';
import { AcceptorBench, infoOfObject, loginText, PASSWORD, send } from './acceptor-bench.ts';

const refusal = [
  { type: 'send', text: '{"mt":"AppLoginResult","ok":false,"errorText":"login failed"}' },
  { type: 'failed' },
  { type: 'close', code: 1000, reason: 'login failed', afterMs: 1000 },
];

function stateAt(phase: 'open' | 'challenged' | 'verifying' | 'ready' | 'refused' | 'closed'): AcceptorBench {
  const bench = new AcceptorBench();
  if (phase === 'open') return bench;
  if (phase === 'closed') bench.step({ type: 'closed' });
  else if (phase === 'refused') bench.step(send({ mt: 'AppLogin', digest: 'x' }));
  else {
    const challenge = bench.challenge();
    if (phase !== 'challenged') bench.step({ type: 'text', text: loginText({ app: 'a', sip: 's' }, challenge) });
    if (phase === 'ready') bench.answer();
  }
  expect(bench.state.phase).toBe(phase);
  return bench;
}

describe('the table of phases and inputs', () => {
  const unparsable: AcceptorInput = { type: 'text', text: '{' };
  const table: readonly (readonly [Parameters<typeof stateAt>[0], AcceptorInput, string, readonly string[]])[] = [
    ['open', send({ mt: 'AppChallenge' }), 'challenged', ['send']],
    ['open', send({ mt: 'AppLogin' }), 'refused', ['send', 'failed', 'close']],
    ['open', send({ mt: 'KeepAlive' }), 'open', ['send']],
    ['open', send({ mt: 'CheckBuild', url: 'u' }), 'open', ['send']],
    ['open', send({ mt: 'AppInfo', app: 'a' }), 'open', []],
    ['open', send({ mt: 'PbxInfo' }), 'open', []],
    ['open', send({ mt: 'AppCheckLogin' }), 'open', []],
    ['open', send({ mt: 'Other' }), 'open', []],
    ['open', send({ api: 'X', mt: 'Other', src: '1' }), 'open', []],
    ['open', unparsable, 'closed', ['close']],
    ['open', { type: 'text', text: '[]' }, 'closed', ['close']],
    ['open', { type: 'text', text: '{"mt":1}' }, 'closed', ['close']],
    ['open', { type: 'login-timeout' }, 'closed', ['close']],
    ['open', { type: 'looked-up', ticket: 1, answer: { passwords: [PASSWORD] } }, 'open', []],
    ['open', { type: 'closed' }, 'closed', []],
    ['challenged', send({ mt: 'AppChallenge' }), 'challenged', ['send']],
    ['challenged', send({ mt: 'AppLogin', digest: 'x' }), 'verifying', ['lookup']],
    ['challenged', send({ api: 'X', mt: 'Other' }), 'challenged', []],
    ['challenged', unparsable, 'closed', ['close']],
    ['challenged', { type: 'login-timeout' }, 'closed', ['close']],
    ['verifying', send({ mt: 'AppChallenge' }), 'verifying', ['send']],
    ['verifying', send({ mt: 'AppLogin', digest: 'x' }), 'refused', ['send', 'failed', 'close']],
    ['verifying', send({ api: 'X', mt: 'Other' }), 'verifying', []],
    ['verifying', { type: 'login-timeout' }, 'closed', ['close']],
    ['verifying', { type: 'looked-up', ticket: 7, answer: { passwords: [PASSWORD] } }, 'verifying', []],
    ['verifying', { type: 'looked-up', ticket: 1, answer: { passwords: [PASSWORD] } }, 'ready', ['send', 'ready']],
    ['verifying', { type: 'looked-up', ticket: 1, answer: { passwords: [] } }, 'refused', ['send', 'failed', 'close']],
    ['verifying', { type: 'closed' }, 'closed', []],
    ['ready', send({ mt: 'AppChallenge' }), 'ready', ['send']],
    ['ready', send({ mt: 'AppLogin' }), 'refused', ['send', 'failed', 'close']],
    ['ready', send({ mt: 'KeepAlive' }), 'ready', ['send']],
    ['ready', send({ mt: 'CheckBuild', url: 'u' }), 'ready', ['send']],
    ['ready', send({ mt: 'AppInfo', app: 'a' }), 'ready', ['send']],
    ['ready', send({ mt: 'AppCheckLogin' }), 'ready', ['lookup']],
    ['ready', send({ mt: 'Test' }), 'ready', []],
    ['ready', send({ mt: 'AppLoginResult', ok: true }), 'ready', []],
    ['ready', send({ mt: 'Own' }), 'ready', ['message']],
    ['ready', send({ api: 'X', mt: 'KeepAlive' }), 'ready', ['message']],
    ['ready', unparsable, 'ready', []],
    ['ready', { type: 'login-timeout' }, 'ready', []],
    ['ready', { type: 'looked-up', ticket: 1, answer: { passwords: [PASSWORD] } }, 'ready', []],
    ['ready', { type: 'closed' }, 'closed', []],
    ['refused', send({ mt: 'AppChallenge' }), 'refused', []],
    ['refused', send({ mt: 'KeepAlive' }), 'refused', []],
    ['refused', unparsable, 'refused', []],
    ['refused', { type: 'closed' }, 'closed', []],
    ['closed', send({ mt: 'AppChallenge' }), 'closed', []],
    ['closed', { type: 'login-timeout' }, 'closed', []],
  ];
  for (const [phase, input, next, effects] of table) {
    const shown = input.type === 'text' ? input.text : input.type;
    test(`${phase} + ${shown} → ${next} [${effects.join(' ')}]`, () => {
      const bench = stateAt(phase);
      expect(bench.step(input).map((effect) => effect.type)).toEqual(effects);
      expect(bench.state.phase).toBe(next);
    });
  }
});

describe('challenges', () => {
  test('only the latest counts', () => {
    const bench = new AcceptorBench();
    const first = bench.challenge();
    bench.challenge();
    expect(bench.login({ app: 'a' }, first)).toEqual(refusal);
  });

  test('one is consumed by a refused login too, and the refusal is final', () => {
    const bench = new AcceptorBench();
    const challenge = bench.challenge();
    expect(bench.login({ app: 'a' }, challenge, 'wrong')).toEqual(refusal);
    expect(bench.login({ app: 'a' }, challenge)).toEqual([]);
  });

  test('a reused one is refused on a connection that stands', () => {
    const bench = new AcceptorBench();
    const challenge = bench.challenge();
    expect(bench.login({ app: 'a' }, challenge)[1]?.type).toBe('ready');
    expect(bench.login({ app: 'a' }, challenge)).toEqual(refusal);
  });

  test('an expired one is refused', () => {
    const bench = new AcceptorBench();
    const challenge = bench.challenge();
    bench.nowMs += CHALLENGE_LIFETIME_MS + 1;
    expect(bench.login({ app: 'a' }, challenge)).toEqual(refusal);
  });

  test('one of another connection is refused: a replay', () => {
    const recorded = loginText({ app: 'a' }, new AcceptorBench().challenge());
    const bench = new AcceptorBench();
    bench.random = 100;
    bench.challenge();
    bench.step({ type: 'text', text: recorded });
    expect(bench.answer()).toEqual(refusal);
  });
});

describe('what the look-up may answer', () => {
  const lookUp = (answer: Parameters<AcceptorBench['answer']>[0]): readonly AcceptorEffect[] => {
    const bench = new AcceptorBench();
    bench.step({
      type: 'text',
      text: loginText({ app: 'a.htm', domain: 'd', sip: 's', pbxObj: 'o' }, bench.challenge()),
    });
    return bench.answer(answer);
  };

  test('several passwords: the index of the right one', () => {
    expect(lookUp({ passwords: ['no', PASSWORD, 'other'] })[1]).toMatchObject({ type: 'ready', passwordIndex: 1 });
  });

  test('none: the same refusal as for a wrong one', () => {
    expect(lookUp({ passwords: [] })).toEqual(refusal);
    expect(lookUp({ passwords: ['no'] })).toEqual(refusal);
  });

  test('a verdict of its own', () => {
    expect(lookUp({ accept: { sessionKey: 'k' } })[1]).toMatchObject({
      type: 'ready',
      sessionKey: 'k',
      passwordIndex: -1,
    });
    expect(lookUp({ refuse: undefined })).toEqual(refusal);
    expect(lookUp({ refuse: 'no licence' })[0]).toMatchObject({
      text: expect.stringContaining('"no licence"') as string,
    });
  });

  test('it is asked with everything that names the login, `.htm` stripped', () => {
    const bench = new AcceptorBench();
    const challenge = bench.challenge();
    const login = { app: 'a.htm', domain: 'd', sip: 's', guid: 'g', dn: 'n', pbxObj: 'o', info: { x: 1 } };
    const [effect] = bench.step({ type: 'text', text: loginText(login, challenge) });
    expect(effect).toMatchObject({ type: 'lookup', request: { ...login, app: 'a', purpose: 'login', challenge } });
  });

  test('the session key is that of challenge and password', () => {
    const bench = new AcceptorBench();
    const challenge = bench.challenge();
    bench.login({ app: 'a' }, challenge);
    expect(bench.state.sessionKey).toBe(appSessionKey(challenge, PASSWORD));
  });
});

describe('re-login on a connection that stands (AW §8.4)', () => {
  const again = (login: Record<string, unknown>, password = PASSWORD): readonly AcceptorEffect[] => {
    const bench = new AcceptorBench();
    bench.login({ app: 'a', sip: 's', dn: 'n' }, bench.challenge());
    return bench.login(login, bench.challenge(), password);
  };

  test('succeeds for the same identity', () => {
    expect(again({ app: 'a', sip: 's', dn: 'n', info: { lics: 2 } })[1]).toMatchObject({
      type: 'ready',
      isAgain: true,
    });
  });

  test('fails and closes for another identity or a wrong password', () => {
    expect(again({ app: 'a', sip: 't', dn: 'n' })).toEqual(refusal);
    expect(again({ app: 'a', sip: 's', dn: 'n', pbxObj: 'x' })).toEqual(refusal);
    expect(again({ app: 'a', sip: 's', dn: 'n' }, 'wrong')).toEqual(refusal);
  });
});

describe('AppCheckLogin (AW §3.7)', () => {
  const check = (digest: string): AcceptorInput =>
    send({ mt: 'AppCheckLogin', src: 'src1', app: 'a', domain: 'd', challenge: '1234', digest });

  test('compares two passwords', () => {
    const bench = stateAt('ready');
    bench.step(check(appLoginDigest({ app: 'a', domain: 'd' }, '1234', PASSWORD)));
    expect(bench.answer()).toEqual([{ type: 'send', text: '{"mt":"AppCheckLoginResult","src":"src1","ok":true}' }]);
    bench.step(check(appLoginDigest({ app: 'a', domain: 'd' }, '1234', 'other')));
    expect(bench.answer()).toEqual([{ type: 'send', text: '{"mt":"AppCheckLoginResult","src":"src1"}' }]);
  });

  test('open checks are bounded', () => {
    const bench = stateAt('ready');
    for (let i = 0; i < MAX_PENDING_CHECKS; i++) expect(bench.step(check('x'))[0]?.type).toBe('lookup');
    expect(bench.step(check('x'))[0]?.type).toBe('send');
    expect(bench.state.checks).toHaveLength(MAX_PENDING_CHECKS);
  });
});

describe('PbxInfo and AppInfo', () => {
  const pbxInfo = { mt: 'PbxInfo', domain: 'd', pbx: 'master', pbxDns: 'h', apis: ['PbxApi', 7], version: '14r1' };

  test('PbxInfo counts from an App object only (AW §5.3)', () => {
    const object = new AcceptorBench();
    object.login({ app: 'a', sip: 'tool', info: infoOfObject('tool') }, object.challenge());
    expect(object.step(send(pbxInfo))).toMatchObject([{ type: 'pbx-info', info: { pbx: 'master', apis: ['PbxApi'] } }]);
    const user = new AcceptorBench();
    user.login({ app: 'a', sip: 'alice', pbxObj: 'tool', info: infoOfObject('tool') }, user.challenge());
    expect(user.step(send(pbxInfo))).toEqual([]);
  });

  test('a PBX answers neither (AW §2.1)', () => {
    const pbx = new AcceptorBench({ role: 'pbx', domain: 'example.test' });
    const effects = pbx.login({ app: 'a', sip: 'tool', info: infoOfObject('tool') }, pbx.challenge());
    expect(effects[0]).toMatchObject({ text: '{"mt":"AppLoginResult","ok":true,"domain":"example.test"}' });
    expect(pbx.step(send(pbxInfo))).toEqual([]);
    expect(pbx.step(send({ mt: 'AppInfo', app: 'a' }))).toEqual([]);
  });

  test('AppInfo is answered by app, before or after PbxInfo', () => {
    const settings: AcceptorSettings = { appInfo: (app) => ({ info: { hidden: app === 'a' } }) };
    const bench = new AcceptorBench(settings);
    bench.login({ app: 'a' }, bench.challenge());
    expect(bench.step(send({ mt: 'AppInfo', app: 'a', src: 3 }))).toEqual([
      { type: 'send', text: '{"mt":"AppInfoResult","src":3,"app":"a","info":{"hidden":true}}' },
    ]);
  });
});

test('admit may refuse a login that is right', () => {
  const bench = new AcceptorBench({
    admit: (identity) => (identity.info?.['unlicensed'] === true ? 'UNLICENSED' : undefined),
  });
  const effects = bench.login({ app: 'a', info: { unlicensed: true } }, bench.challenge());
  expect(effects[0]).toMatchObject({ text: '{"mt":"AppLoginResult","ok":false,"errorText":"UNLICENSED"}' });
});

describe('sizes', () => {
  const padded = (bytes: number): AcceptorInput => {
    const frame = '{"mt":"KeepAlive","x":""}';
    return { type: 'text', text: frame.replace('""', `"${'x'.repeat(bytes - frame.length)}"`) };
  };

  test('64 KiB before login, 1 MiB after', () => {
    expect(stateAt('open').step(padded(MAX_MESSAGE_BEFORE_LOGIN_BYTES))[0]?.type).toBe('send');
    expect(stateAt('open').step(padded(MAX_MESSAGE_BEFORE_LOGIN_BYTES + 1))[0]).toMatchObject({ code: 1009 });
    expect(stateAt('ready').step(padded(MAX_MESSAGE_BYTES))[0]?.type).toBe('send');
    expect(stateAt('ready').step(padded(MAX_MESSAGE_BYTES + 1))[0]).toMatchObject({ code: 1009 });
  });

  test('bytes count, not characters', () => {
    const text = `{"mt":"KeepAlive","x":"${'€'.repeat(22_000)}"}`;
    expect(stateAt('open').step({ type: 'text', text })[0]).toMatchObject({ code: 1009 });
  });
});

test('a step leaves the state it was given alone', () => {
  const state: AcceptorState = Object.freeze(acceptorStart());
  acceptorStep(state, send({ mt: 'AppChallenge' }), { nowMs: 0, newChallenge: () => 'c' });
  expect(state).toEqual(acceptorStart());
});
