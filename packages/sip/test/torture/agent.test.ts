import { expect, test } from 'vitest';
import { MemoryLocation, Registrar, createUserAgent, sdp } from '../../src/index.ts';
import { FakeClock } from '../fake-clock.ts';
import { FakeNetwork } from '../fake-network.ts';
import { INVALID } from './rfc4475-invalid.ts';
import { VALID } from './rfc4475-valid.ts';
import { IPV6 } from './rfc5118.ts';

const OUTCOMES: Readonly<Record<string, number | undefined>> = {
  wsinv: 481,
  intmeth: 501,
  esc01: 200,
  escnull: 200,
  esc02: 501,
  lwsdisp: 200,
  longreq: 200,
  dblreq: 200,
  semiuri: 200,
  transports: 200,
  mpart01: 405,
  unreason: undefined,
  noreason: undefined,
  baddate: 200,
  regbadct: 400,
  badbranch: 200,
  unkscm: 416,
  novelsc: 416,
  unksm2: 404,
  bext01: 420,
  bcast: undefined,
  zeromf: 200,
  cparam01: 200,
  cparam02: 200,
  regescrt: 200,
  sdp01: 200,
  // Without Contact there is no dialog (RFC 3261 8.1.1.8).
  inv2543: 400,
};

/** RFC 4475 3: what an element above the parser makes of the messages that the parser accepts. */
test.each(Object.entries(OUTCOMES))('RFC 4475 %s at a user agent with a registrar: %s', async (name, status) => {
  const clock = new FakeClock();
  const network = new FakeNetwork(clock);
  const host = network.host('10.0.0.2');
  const agent = createUserAgent({ transports: host, clock, options: ['path', 'outbound'] });
  const registrar = new Registrar({ location: new MemoryLocation(), clock });
  agent.on('register', ({ request, flow, transaction }) => {
    void registrar.handle(request, flow).then((response) => transaction.respond(response));
  });
  agent.on('invite', (call) => call.answer({ body: sdp('v=0\r\n') }));
  const bytes = [...VALID, ...INVALID, ...IPV6].find((one) => one.name.startsWith(name))?.bytes ?? Buffer.alloc(0);
  host.receive(bytes, { address: '10.0.0.1', port: 5060 });
  await clock.pass(300);
  const finals = network.sent.map((sent) => Number(sent.text.slice(8, 11))).filter((code) => code !== 100);
  expect(finals[0]).toBe(status);
  if (status === 420) expect(network.sent.at(-1)?.text).toContain('Unsupported: nothingsupportsthis');
  await agent.close();
  registrar.close();
  expect(clock.size).toBe(0);
});

test('RFC 4475 3.2.1: two requests with the bare cookie for a branch are two transactions', async () => {
  const clock = new FakeClock();
  const network = new FakeNetwork(clock);
  const host = network.host('10.0.0.2');
  const agent = createUserAgent({ transports: host, clock });
  const text = (INVALID.find((one) => one.name.startsWith('badbranch'))?.bytes ?? Buffer.alloc(0)).toString();
  for (const callId of ['one', 'two']) {
    host.receive(Buffer.from(text.replace(/Call-ID: \S+/, `Call-ID: ${callId}`)), { address: '10.0.0.1', port: 5060 });
    await clock.pass(100);
  }
  expect(network.sent.map((sent) => /Call-ID: (\S+)/.exec(sent.text)?.[1])).toEqual(['one', 'two']);
  await agent.close();
});
