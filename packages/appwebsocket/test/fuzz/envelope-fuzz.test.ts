import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { isSoak, scaled, seedOf, seeded } from '../../../../test/kit/scale.ts';
import { until } from '../../../../test/kit/wait.ts';
import type { InitiatorInput, InitiatorSettings } from '../../src/handshake/initiator-model.ts';
import { initiatorStart, initiatorStep } from '../../src/handshake/initiator.ts';
import { AppSession } from '../../src/session/session.ts';
import { isBaseMessage } from '../../src/wire/base-messages.ts';
import { answerText, exceedsBytes, parseEnvelope, refusalText, utf8Length } from '../../src/wire/envelope.ts';
import { AppWebsocketError } from '../../src/wire/errors.ts';
import { parseAppInfoAnswer, parsePbxInfo } from '../../src/wire/pbx-info.ts';
import { rawMember } from '../../src/wire/raw-member.ts';
import { refusalOf } from '../../src/session/subscription.ts';
import { credentialsFrom } from '../../src/session/login-sources.ts';
import { PASSWORD, ScriptedPeer } from '../client/kit.ts';
import { deep, mutator } from './mutate.ts';

vi.setConfig({ testTimeout: isSoak ? 900_000 : 30_000 });

const COUNT = scaled({ verify: 50_000, soak: 1_000_000 });

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const heapMiB = (): number => {
  collect();
  return process.memoryUsage().heapUsed / 2 ** 20;
};

describe('fuzzed envelopes', () => {
  test('everything that reads a message takes every text', () => {
    const next = mutator(seeded(seedOf('envelopes')));
    let parsed = 0;
    for (let n = 0; n < COUNT; n++) {
      const text = next();
      const envelope = parseEnvelope(text);
      if (envelope === undefined) continue;
      parsed++;
      expect(typeof envelope.mt).toBe('string');
      expect(envelope.api).not.toBe('');
      JSON.parse(answerText(envelope, { ok: true }));
      refusalText(envelope, 'not allowed');
      refusalOf(envelope.mt, envelope.message);
      parsePbxInfo(envelope.message);
      parseAppInfoAnswer(envelope.message);
      const info = rawMember(text, 'info');
      if (typeof info === 'string') expect(JSON.parse(info)).toEqual(envelope.message['info']);
      if (info !== null) credentialsFrom(envelope.message, undefined);
    }
    expect(parsed).toBeGreaterThan(COUNT / 5);
  });

  test('the initiator takes every sequence of texts, in every state, and never says it is ready unasked', () => {
    const random = seeded(seedOf('initiator'));
    const next = mutator(random);
    const settings: InitiatorSettings = { app: 'tool', credentials: { password: 'pwd' } };
    const asking: InitiatorSettings = { app: 'tool' };
    const auth: InitiatorInput = { type: 'auth', credentials: { digest: 'd', key: 'k' } };
    let readies = 0;
    for (let n = 0; n < COUNT;) {
      const own = random() < 0.5 ? settings : asking;
      let state = initiatorStart(own);
      const inputs: InitiatorInput[] = [{ type: 'opened' }];
      if (random() < 0.7) inputs.push({ type: 'text', text: '{"mt":"AppChallengeResult","challenge":"c"}' });
      if (random() < 0.7) inputs.push(auth);
      if (random() < 0.5) inputs.push({ type: 'text', text: '{"mt":"AppLoginResult","ok":true}' });
      for (let i = 0; i < 20; i++) inputs.push({ type: 'text', text: next() });
      let hasSentLogin = false;
      for (const input of inputs) {
        const step = initiatorStep(state, input, own);
        for (const effect of step.effects) {
          if (effect.type === 'send') hasSentLogin ||= effect.text.includes('"AppLogin"');
          if (effect.type === 'ready') {
            readies++;
            expect(hasSentLogin).toBe(true);
          }
          if (effect.type === 'message') {
            expect(state.phase).toBe('ready');
            expect(effect.envelope.api !== undefined || !isBaseMessage(effect.envelope.mt)).toBe(true);
          }
        }
        state = step.state;
        n++;
      }
    }
    expect(readies).toBeGreaterThan(COUNT / 200);
  });

  test('a session over a socket: what is a message arrives once and in order, the rest harms nothing, nothing grows', async () => {
    await using peer = await ScriptedPeer.start();
    const seen: string[] = [];
    await using session = await AppSession.open({
      url: peer.url,
      app: 'tool',
      login: { password: PASSWORD },
      reconnect: false,
      onMessage: (_message, text) => seen.push(text),
    });
    const { socket } = peer.sockets[0]!;
    const next = mutator(seeded(seedOf('session')));
    let before: number | undefined;
    const batch = 500;
    for (let n = 0; n < COUNT; n += batch) {
      const expected: string[] = [];
      for (let i = 0; i < batch; i++) {
        // Lone surrogates cannot go over the wire.
        const text = next().toWellFormed();
        socket.send(text);
        const envelope = parseEnvelope(text);
        if (envelope !== undefined && (envelope.api !== undefined || !isBaseMessage(envelope.mt))) expected.push(text);
      }
      const end = `{"mt":"End","n":${n}}`;
      socket.send(end);
      await until(() => seen.at(-1) === end, `the end of batch ${n}`);
      expect(seen.splice(0)).toEqual([...expected, end]);
      if (n >= COUNT / 2) before ??= heapMiB();
    }
    expect(session.isUp).toBe(true);
    expect(heapMiB() - before!).toBeLessThan(4);
  });

  test.each(['"src":', '"error":', '"x":'])('%s that nests 500,000 deep', async (member) => {
    const text = deep(member, 500_000);
    const envelope = parseEnvelope(text)!;
    expect(envelope.mt).toBe('Deep');
    expect(JSON.parse(refusalText(envelope, 'not allowed')!)).toMatchObject({ mt: 'DeepResult', error: 'not allowed' });
    const refusal = refusalOf(envelope.mt, envelope.message);
    expect(refusal === undefined || refusal instanceof AppWebsocketError).toBe(true);
  });

  test('text that is no UTF-8 ends the connection, and no more', async () => {
    await using peer = await ScriptedPeer.start();
    const session = await AppSession.open({ url: peer.url, app: 't', login: { password: PASSWORD }, reconnect: false });
    peer.sockets[0]!.socket.send(Buffer.from([0x7b, 0xff, 0x7d]), { binary: false });
    expect(await session.closed).toMatchObject({ code: 'connection-lost' });
  });
});

describe('sizes', () => {
  test('UTF-8 lengths are those of Node, for every string', () => {
    const units = fc.array(
      fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.constantFrom(0xd800, 0xdc00, 0xdbff, 0x7f, 0x80)),
    );
    fc.assert(
      fc.property(units, fc.nat(40), (codes, limit) => {
        const text = String.fromCharCode(...codes);
        const bytes = Buffer.byteLength(text);
        expect(utf8Length(text)).toBe(bytes);
        expect(exceedsBytes(text, limit)).toBe(bytes > limit);
      }),
      { numRuns: scaled({ verify: 2_000, soak: 100_000 }) },
    );
  });

  test('whatever is put into a message comes out of parseEnvelope', () => {
    const members = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue());
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.option(fc.string({ unit: 'binary' })), members, (mt, src, rest) => {
        const envelope = parseEnvelope(JSON.stringify({ ...rest, mt, src, api: 'X' }));
        expect(envelope).toMatchObject({ mt, src, api: 'X' });
      }),
      { numRuns: scaled({ verify: 1_000, soak: 50_000 }) },
    );
  });
});
