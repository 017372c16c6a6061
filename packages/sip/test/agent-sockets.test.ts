import { afterEach, describe, expect, test } from 'vitest';
import { until } from '../../../test/kit/wait.ts';
import { createUserAgent, openTransports, sdp, textOf } from '../src/index.ts';
import type {
  Endpoint,
  IncomingCall,
  ListenerOptions,
  Protocol,
  SipTransports,
  UserAgent,
  UserAgentOptions,
} from '../src/index.ts';

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** Short enough for a test, long enough for a busy machine. */
const timers = { t1: 40, t2: 160, t4: 200 };

interface Party {
  readonly agent: UserAgent;
  readonly transports: SipTransports;
  readonly calls: IncomingCall[];
  uri(protocol: Protocol): string;
}

async function party(
  protocols: readonly Protocol[],
  options: Partial<UserAgentOptions> = {},
  advertised?: Endpoint,
): Promise<Party> {
  const listeners = protocols.map((protocol): ListenerOptions => ({
    protocol,
    address: '127.0.0.1',
    port: 0,
    ...(advertised === undefined ? {} : { advertised }),
  }));
  const transports = await openTransports({ listeners });
  const agent = createUserAgent({ transports, timers, ...options });
  const calls: IncomingCall[] = [];
  agent.on('invite', (call) => {
    calls.push(call);
    call.ring();
    call.answer({ body: sdp('answer') });
    call.on('change', (change) => void change.accept(sdp('changed')));
  });
  open.push(async () => {
    await agent.close();
    await transports.close();
  });
  return {
    agent,
    transports,
    calls,
    uri(protocol) {
      const { port } = transports.listeners.find((l) => l.protocol === protocol)!.local;
      return `sip:${options.contactUser ?? 'x'}@127.0.0.1:${port}${protocol === 'udp' ? '' : `;transport=${protocol}`}`;
    },
  };
}

describe('calls over real sockets', () => {
  test.each(['udp', 'tcp', 'ws'] as const)('over %s: call, change, hang up by the callee', async (protocol) => {
    const [alice, bob] = [await party([protocol]), await party([protocol])];
    const call = alice.agent.invite(bob.uri(protocol), { body: sdp('offer') });
    expect(textOf((await call.answered()).body!)).toBe('answer');
    await until(() => bob.calls[0]?.state === 'confirmed', 'the ACK');
    expect(textOf((await call.change(sdp('hold'))).body!)).toBe('changed');
    bob.calls[0]!.hangup();
    expect((await call.ended()).by).toBe('peer');
    expect(protocol === 'udp' ? 0 : alice.transports.connectionCount).toBe(protocol === 'udp' ? 0 : 1);
    for (const { agent } of [alice, bob])
      await until(() => Object.values(agent.counts).every((n) => n === 0), 'everything to end', 30_000);
  });

  test('a caller that nobody can connect to is answered and hung up on its own connection (RFC 5626)', async () => {
    // Her Contact names a port where nobody listens; her connection stands.
    const alice = await party(['tcp'], {}, { address: '127.0.0.1', port: 1 });
    const bob = await party(['tcp']);
    const call = alice.agent.invite(bob.uri('tcp'), { body: sdp('offer') });
    await call.answered();
    await until(() => bob.calls[0]?.state === 'confirmed', 'the ACK');
    expect(bob.calls[0]!.dialog.link.dialog.remoteTarget.toString()).toContain('127.0.0.1:1;');
    bob.calls[0]!.hangup();
    expect((await call.ended()).by).toBe('peer');
    expect(bob.transports.connectionCount).toBe(1);
  });
});

test('a registration moves to a new connection when the old one breaks', async () => {
  const { server, port } = await startRegistrar(0);
  const alice = await party(['tcp'], { identity: 'sip:alice@tieline.test' });
  const registration = alice.agent.register(`sip:127.0.0.1:${port};transport=tcp`, {
    instanceId: 'urn:uuid:00000000-0000-1000-8000-000000000002',
    keepAlive: { prober: alice.transports, intervalMs: 60, timeoutMs: 500 },
    backoff: { baseMs: 100, maxMs: 400 },
  });
  await until(() => registration.state === 'registered', 'the registration');
  await server.close();
  await until(() => registration.state === 'waiting', 'the loss to be noticed');
  const again = await startRegistrar(port);
  await until(() => again.seen.length > 0 && registration.state === 'registered', 'the new flow');
  await registration.close();
  await again.server.close();
});

interface RegistrarStand {
  readonly server: { close(): Promise<void> };
  readonly port: number;
  readonly seen: string[];
}

async function startRegistrar(port: number): Promise<RegistrarStand> {
  const transports = await openTransports({ listeners: [{ protocol: 'tcp', address: '127.0.0.1', port }] });
  const agent = createUserAgent({ transports, timers, options: ['outbound', 'path'] });
  const seen: string[] = [];
  agent.on('register', (request) => {
    seen.push(request.flow.connection?.id ?? '');
    request.respond(200, { headers: { Contact: request.request.headers.get('Contact') ?? '' } });
  });
  const close = async (): Promise<void> => {
    await agent.close();
    await transports.close();
  };
  return { server: { close }, port: transports.listeners[0]!.local.port, seen };
}
