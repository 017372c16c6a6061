import { describe, expect, test } from 'vitest';
import { B2bua } from '../examples/b2bua.ts';
import { Proxy } from '../examples/proxy.ts';
import { DigestServer, FlowTokens, MemoryLocation, Registrar } from '../src/index.ts';
import type { Binding } from '../src/index.ts';
import { Stage, uriOf } from './agent-pair.ts';

const AT_SERVER = 'sip:bob@10.0.0.6';
const broken = (): Promise<never> => Promise.reject(new Error('the store is down'));

describe('what the examples stand on fails: the caller hears a 500, nobody else anything', () => {
  test.each([
    ['secrets', { digest: new DigestServer({ realm: 'x', findSecret: broken }) }],
    ['destinations', { route: broken }],
  ])('%s', async (_name, options) => {
    const stage = new Stage();
    const { agent } = new B2bua({ transports: stage.host('server'), agent: { clock: stage.clock }, ...options });
    const alice = stage.agent('alice');
    const Authorization = 'Digest username="a", realm="x", nonce="n", uri="sip:x", response="r"';
    const call = alice.invite(AT_SERVER, { headers: { Authorization } });
    await stage.pass(50);
    expect(call.end?.status).toBe(500);
    await stage.expectNothingLeft();
    expect(agent.counts).toEqual({ dialogs: 0, transactions: 0, timers: 0 });
  });

  test('the location', async () => {
    const stage = new Stage();
    const location = new MemoryLocation();
    location.update = broken;
    const registrar = new Registrar({ location, clock: stage.clock });
    new B2bua({ transports: stage.host('server'), registrar, agent: { clock: stage.clock } });
    const asked = stage.agent('alice').request('REGISTER', uriOf('alice'), {
      requestUri: 'sip:10.0.0.6',
      headers: { Contact: '<sip:a@10.0.0.1>' },
    });
    const refused = expect(asked).rejects.toMatchObject({ status: 500 });
    await stage.pass(50);
    await refused;
    registrar.close();
    await stage.expectNothingLeft();
  });
});

test('a CANCEL that overtakes the look-up of the proxy: 487, and no phone rings', async () => {
  const stage = new Stage();
  let found: (bindings: readonly Binding[]) => void = () => undefined;
  const location = new MemoryLocation();
  location.find = () => new Promise((resolve) => (found = resolve));
  const registrar = new Registrar({ location, clock: stage.clock });
  const tokens = new FlowTokens({ flowOf: () => undefined });
  const transports = stage.host('proxy');
  const proxy = new Proxy({ transports, domain: '10.0.0.5', registrar, tokens, clock: stage.clock });
  const bob = stage.agent('bob');
  bob.on('invite', () => expect.unreachable());
  const call = stage.agent('alice').invite('sip:bob@10.0.0.5');
  // The 100 that the proxy's transaction sends by itself allows the CANCEL.
  await stage.pass(300);
  call.hangup();
  await stage.pass(20);
  const contact = uriOf('bob');
  const rest = { params: '', q: 1_000, expiresAtMs: Infinity, callId: 'x', cseq: 1, path: [] };
  found([{ aor: 'sip:bob@10.0.0.5', contact, ...rest }]);
  await stage.pass(50);
  expect(stage.said()).toEqual(expect.arrayContaining(['proxy > alice 200 CANCEL', 'proxy > alice 487 INVITE']));
  registrar.close();
  await stage.pass(40_000, 500);
  proxy.close();
  await stage.expectNothingLeft();
});
