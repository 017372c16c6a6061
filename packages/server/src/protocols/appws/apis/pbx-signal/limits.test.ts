import type { Envelope, JsonObject } from '@tieline/appwebsocket';
import { expect, test } from 'vitest';
import type { Message } from '../../../../core/conversations/index.ts';
import type { Channel } from '../../api.ts';
import type { LoggedIn } from '../../logins.ts';
import { type CallHost, SignalCall } from './call.ts';
import type { SignalParts } from './registration.ts';
import { PbxSignalSession } from './session.ts';
import { parseSig } from './signals.ts';

function sigOf(sig: JsonObject): NonNullable<ReturnType<typeof parseSig>> {
  const parsed = parseSig(sig, JSON.stringify(sig).length);
  if (parsed === undefined) throw new Error('no sig');
  return parsed;
}

/** A call of a registration that only keeps what it is told. */
function callOf(): { call: SignalCall; told: JsonObject[]; hits: string[] } {
  const told: JsonObject[] = [];
  const hits: string[] = [];
  const host: CallHost = {
    signal: (_call, sig) => void told.push(sig),
    headOf: () => '{"sig":',
    signalText: (text) => void told.push((JSON.parse(text) as { sig: JsonObject }).sig),
    signalShared: () => undefined,
    forget: () => undefined,
    nameOf: () => ({ name: '', displayName: '' }),
    sent: () => undefined,
    hold: () => true,
    letGo: () => undefined,
    limitHit: (name) => void hits.push(name),
    isAware: true,
  };
  return { call: new SignalCall(1, host), told, hits };
}

test('frames before the destination is known are bounded', () => {
  const { call, told, hits } = callOf();
  for (let i = 0; i < 100; i++) call.received(sigOf({ type: 'info' }));
  expect(told).toEqual([]);
  call.received(sigOf({ type: 'info' }));
  expect([told, hits]).toEqual([[{ type: 'rel', cau: { num: 111 } }], ['too-much-input']]);
});

test('results that are awaited are bounded; the texts go on', () => {
  const { call, told } = callOf();
  const keys: (string | null)[] = [];
  const ignore = (): void => undefined;
  call.attach({
    alert: ignore,
    connect: ignore,
    release: ignore,
    relay: ignore,
    chatState: ignore,
    text: (text) => void keys.push(text.idempotencyKey),
  });
  for (let i = 0; i <= 1_000; i++)
    call.received(
      sigOf({ type: 'facility', fty: [{ type: 'im_message', mime: 'text/plain', data: 'x', idem: `k${i}` }] }),
    );
  for (const key of keys) call.textTaken({ id: 'm', at: 0 } as Message, key);
  expect([keys.length, told.length]).toEqual([1_001, 1_000]);
});

test.each([
  ['number', 1_000, 10],
  ['characters', 2, 1024 * 1024],
])('frames that wait for RegisterResult are bounded: %s', (_what, most, characters) => {
  const closed: number[] = [];
  const parts = { parts: { directory: { devices: () => new Promise(() => undefined) } } } as unknown as SignalParts;
  const channel = {
    onWritable: () => undefined,
    limitHit: () => undefined,
    close: (code: number) => void closed.push(code),
  } as unknown as Channel;
  const session = new PbxSignalSession(parts, channel, { device: null, party: { id: 'u' } } as unknown as LoggedIn);
  const frame = (mt: string, message: JsonObject): Envelope =>
    ({ api: 'PbxSignal', mt, message }) as unknown as Envelope;
  session.message(frame('Register', { hw: 'phone' }), 10);
  for (let i = 0; i < most; i++) session.message(frame('Signaling', {}), characters);
  expect(closed).toEqual([]);
  session.message(frame('Signaling', {}), characters);
  expect(closed).toEqual([1008]);
});
