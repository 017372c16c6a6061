import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { scaled, seeded, seedOf } from '../../../../test/kit/scale.ts';
import { until } from '../../../../test/kit/wait.ts';
import { acceptorStart, acceptorStep } from '../../src/handshake/acceptor.ts';
import { infoOfObject, loggedIn, loginText, PASSWORD, RawPeer, TestService } from './kit.ts';

const INPUTS = scaled({ verify: 50_000, soak: 1_000_000 });
/** The soak takes minutes. */
const LONG = { timeout: 900_000 };
const PIECES = [
  ...[
    '{',
    '}',
    '[',
    ']',
    '"',
    ':',
    ',',
    '\\',
    '\\u0026',
    '\\ud83d',
    '\u0000',
    ' ',
    '\n',
    'null',
    'true',
    '1e999',
    '-0',
  ],
  ...['"mt"', '"AppLogin"', '"AppChallenge"', '"AppCheckLogin"', '"info"', '"digest"', '"challenge"', '"src"', '"api"'],
  ...[
    '"pbxObj"',
    '"__proto__"',
    '"constructor"',
    '"PbxInfo"',
    '"apis"',
    '"ä😀"',
    '"KeepAlive"',
    '"CheckBuild"',
    '"url"',
  ],
];

type Random = () => number;
const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;

/** A value of any shape, seldom deep. */
function anyValue(random: Random, depth = 0): unknown {
  const kind = Math.floor(random() * (depth > 4 ? 6 : 8));
  if (kind === 6) return Array.from({ length: Math.floor(random() * 3) }, () => anyValue(random, depth + 1));
  if (kind === 7) return { [pick(random, PIECES)]: anyValue(random, depth + 1) };
  return [null, true, random() * 1e9, '', pick(random, PIECES), 'x'.repeat(Math.floor(random() * 200))][kind];
}

/** A right login, broken somewhere; a message of strange members; or pieces in any order. */
function strangeText(random: Random, challenge: string): string {
  const kind = random();
  if (kind < 0.3) return Array.from({ length: Math.floor(random() * 12) }, () => pick(random, PIECES)).join('');
  if (kind < 0.6) {
    const names = ['app', 'domain', 'sip', 'guid', 'dn', 'info', 'digest', 'pbxObj', 'challenge', 'src', 'apis', 'url'];
    const members = Object.fromEntries(names.filter(() => random() < 0.5).map((name) => [name, anyValue(random)]));
    const mts = ['AppLogin', 'AppChallenge', 'AppCheckLogin', 'PbxInfo', 'AppInfo', 'CheckBuild', 'Test', 'Own'];
    return JSON.stringify({ mt: pick(random, mts), ...members });
  }
  const text = loginText({ app: 'tool', sip: 'alice', dn: 'Ä', info: infoOfObject('tool') }, challenge);
  const at = Math.floor(random() * text.length);
  return text.slice(0, at) + pick(random, PIECES) + text.slice(at + Math.floor(random() * 4));
}

test(`${INPUTS} strange logins: the machine never throws, nobody gets in, and its state stays small`, LONG, () => {
  const random = seeded(seedOf('fuzzed logins'));
  let state = acceptorStart();
  let lookups = 0;
  for (let i = 0; i < INPUTS; i++) {
    if (state.phase === 'closed' || state.phase === 'refused') state = acceptorStart();
    const environment = { nowMs: i, newChallenge: () => 'challenge' };
    const challenge = acceptorStep(state, { type: 'text', text: '{"mt":"AppChallenge"}' }, environment);
    const text = strangeText(random, 'another');
    const step = acceptorStep(challenge.state, { type: 'text', text }, environment);
    state = step.state;
    for (const effect of step.effects) {
      if (effect.type !== 'lookup') continue;
      lookups++;
      const { ticket } = effect;
      const looked = acceptorStep(state, { type: 'looked-up', ticket, answer: { passwords: [PASSWORD] } }, environment);
      state = looked.state;
      expect(state.phase, text).not.toBe('ready');
    }
    expect(state.checks.length).toBe(0);
  }
  expect(lookups).toBeGreaterThan(INPUTS / 20);
});

test('strange texts over real sockets: the service stands, and keeps nothing', LONG, async () => {
  const random = seeded(seedOf('fuzzed sockets'));
  await using tested = await TestService.start({
    limits: { addressFailures: { burst: 1e9, forgiveMs: 1 }, accountFailures: { burst: 1e9, forgiveMs: 1 } },
  });
  const rounds = scaled({ verify: 300, soak: 20_000 });
  for (let i = 0; i < rounds; i++) {
    using peer = await RawPeer.connect(tested.url);
    for (let n = 0; n < 5; n++) peer.socket.send(random() < 0.1 ? Buffer.from('binary') : strangeText(random, 'x'));
  }
  await until(() => tested.service.strangerCount === 0 && tested.service.connections.length === 0, 'all gone');
  expect(tested.errors).toEqual([]);
  using peer = await loggedIn(tested.url);
  for (let i = 0; i < 2_000; i++) peer.socket.send(strangeText(random, 'x').replaceAll('AppLogin', 'Other'));
  peer.send({ mt: 'KeepAlive' });
  await peer.next('KeepAlive');
  expect(tested.errors).toEqual([]);
});

test('fuzzing leaves no memory behind', LONG, () => {
  const random = seeded(seedOf('fuzzed memory'));
  const run = (count: number): void => {
    for (let i = 0; i < count; i++) {
      const state = acceptorStart();
      const environment = { nowMs: 0, newChallenge: () => 'challenge' };
      acceptorStep(state, { type: 'text', text: strangeText(random, 'another') }, environment);
    }
  };
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const used = (): number => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  run(5_000);
  const before = used();
  run(scaled({ verify: 20_000, soak: 500_000 }));
  expect(used() - before).toBeLessThan(2 * 1024 * 1024);
});
