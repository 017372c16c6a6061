import { expect, test } from 'vitest';
import { scaled, seedOf, seeded } from '../../../../test/kit/scale.ts';
import { FakeClock } from '../../test/fake-clock.ts';
import { mutate, pick } from '../../test/mutate.ts';
import { UDP, register } from '../../test/registrar-stand.ts';
import { INVALID } from '../../test/torture/rfc4475-invalid.ts';
import { VALID } from '../../test/torture/rfc4475-valid.ts';
import { DigestClient, DigestServer } from '../digest/index.ts';
import { MemoryLocation, contactOf, routeOf } from '../location/index.ts';
import { isSipUri, makeResponse, parseMessage, writeMessage } from '../messages/index.ts';
import type { SipRequest } from '../messages/index.ts';
import { DEFAULT_POLICY } from './policy.ts';
import { Registrar } from './registrar.ts';

const OUTBOUND = '<sip:bob@10.0.0.1;transport=tcp>;+sip.instance="<urn:uuid:1>";reg-id=1;q=0.5;expires=600';

/** What phones send. */
function corpus(digest: DigestServer): Buffer[] {
  const supported = [['Supported', 'path, outbound']] as const;
  const asked: SipRequest[] = [
    register({ contacts: [OUTBOUND], more: supported }),
    register({ contacts: [OUTBOUND], more: [...supported, ['Path', '<sip:token@edge;lr;ob>, <sip:p2;lr>']], vias: 2 }),
    register({ contacts: ['<sip:bob@192.0.2.1:5062>', 'sip:bob@192.0.2.2;q=0.1'], more: [['Expires', '300']] }),
    register({ contacts: ['*'], more: [['Expires', '0']] }),
  ];
  const client = new DigestClient({ credentialsFor: () => ({ username: 'bob', password: 'x' }) });
  for (const one of asked) client.answer(one, digest.challenge(makeResponse(one, 401), { kind: 'unproven' }));
  const torture = [...VALID, ...INVALID].map((one) => one.bytes).filter((bytes) => bytes.includes('REGISTER'));
  return [...asked.map(writeMessage), ...torture];
}

const aorOf = ({ headers }: SipRequest): string => {
  const uri = headers.to?.uri;
  return uri !== undefined && isSipUri(uri) ? uri.aor : '';
};

test.each([true, false])(
  'mutated registrations (with digest: %s): answered, bounded, and what is kept can be used',
  { timeout: 300_000 },
  async (isSecure) => {
    const random = seeded(seedOf('registrations'));
    const clock = new FakeClock();
    const location = new MemoryLocation({ now: () => clock.now(), maxBindings: 50 });
    const digest = new DigestServer({
      realm: 'biloxi.com',
      clock,
      findSecret: () => ({ password: 'x' }),
      maxNonces: 100,
    });
    const policy = { maxBindingsPerAor: 3 };
    const registrar = new Registrar({
      location,
      clock,
      now: () => clock.now(),
      policy,
      ...(isSecure ? { digest } : {}),
    });
    const all = corpus(digest);
    const statuses = new Map<number, number>();
    for (let i = 0; i < scaled({ verify: 5_000, soak: 200_000 }); i++) {
      const message = parseMessage(mutate(random, pick(random, all), all));
      if (message.kind !== 'request') continue;
      const response = await registrar.handle(message, UDP);
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
      expect(parseMessage(writeMessage(response)).kind).toBe('response');
      const bindings = response.status === 200 ? await location.find(aorOf(message)) : [];
      expect(bindings.length).toBeLessThanOrEqual(3);
      for (const binding of bindings) {
        routeOf(binding);
        expect(contactOf(binding, clock.now()).length).toBeLessThan(DEFAULT_POLICY.maxBindingBytes + 100);
      }
      clock.advance(100);
    }
    expect(location.size).toBeLessThanOrEqual(50);
    expect(digest.nonceCount).toBeLessThanOrEqual(100);
    // Both the good and the bad ways were taken.
    expect([...statuses.keys()]).toEqual(expect.arrayContaining(isSecure ? [200, 400, 401] : [200, 400, 404]));
    registrar.close();
  },
);
