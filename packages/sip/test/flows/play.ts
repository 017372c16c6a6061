import { expect } from 'vitest';
import { Proxy } from '../../examples/proxy.ts';
import { DigestServer, FlowTokens, MemoryLocation, Registrar, sdp } from '../../src/index.ts';
import type { Call, IncomingCall, IncomingRefer, OutgoingCall, UserAgent, UserAgentOptions } from '../../src/index.ts';
import { Stage, uriOf, type Person } from '../agent-pair.ts';

export const OFFER = sdp('v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=offer\r\n');
export const ANSWER = sdp('v=0\r\no=- 9 1 IN IP4 10.0.0.2\r\ns=answer\r\n');
export const HOLD = sdp('v=0\r\no=- 1 2 IN IP4 10.0.0.1\r\ns=hold\r\na=sendonly\r\n');
export const RESUME = sdp('v=0\r\no=- 1 3 IN IP4 10.0.0.1\r\ns=resume\r\na=sendrecv\r\n');

/** A stage for flows that are told as in the RFCs: who sends what to whom, line by line. */
export class Play extends Stage {
  readonly proxies: Proxy[] = [];
  /** Calls that came in, by person. */
  readonly calls = new Map<Person, IncomingCall[]>();

  /** A person with a phone that rings until the flow says otherwise. */
  phone(who: Person, options: Partial<UserAgentOptions> = {}): UserAgent {
    const agent = this.agent(who, { sessionTimer: { expires: 0 }, reliableProvisionals: 'off', ...options });
    const calls: IncomingCall[] = [];
    this.calls.set(who, calls);
    agent.on('invite', (call) => {
      calls.push(call);
      call.on('change', (change) => void change.accept(ANSWER));
    });
    return agent;
  }

  /** The latest call that came to somebody. */
  callOf(who: Person): IncomingCall {
    const call = this.calls.get(who)?.at(-1);
    if (call === undefined) throw new Error(`nobody called ${who}`);
    return call;
  }

  /** A proxy with a registrar for its own address; with `secrets` phones have to prove themselves. */
  serve(who: 'proxy' | 'server', secrets?: Readonly<Record<string, string>>): Proxy {
    const digest =
      secrets === undefined
        ? undefined
        : new DigestServer({
            realm: who,
            findSecret: (name) => {
              const password = secrets[name];
              return password === undefined ? undefined : { password };
            },
          });
    const now = (): number => this.clock.now();
    const location = new MemoryLocation({ now });
    const registrar = new Registrar({ location, now, clock: this.clock, ...(digest === undefined ? {} : { digest }) });
    const host = this.host(who);
    const tokens = new FlowTokens({ flowOf: () => undefined });
    const domain = host.local.address;
    const proxy = new Proxy({ transports: host, domain, registrar, tokens, clock: this.clock });
    this.proxies.push(proxy);
    this.registrars.push(registrar);
    return proxy;
  }

  readonly registrars: Registrar[] = [];

  /** Lets things happen, then compares what was sent since the last scene with these lines. */
  async scene(lines: string, ms = 60): Promise<void> {
    await this.pass(ms, 5);
    const said = this.said().join('\n');
    const wanted = lines
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
      .join('\n');
    expect(said).toBe(wanted);
  }

  /** Registers somebody at a proxy; not part of the flow. */
  async registered(who: Person, at: 'proxy' | 'server'): Promise<void> {
    const agent = this.agents.get(who);
    const address = this.hosts.get(at)?.local.address ?? '';
    const registration = agent?.register(`sip:${address}`, { aor: `sip:${who}@${address}`, expires: 3_600 });
    await this.pass(60, 5);
    expect(registration?.state).toBe('registered');
    this.said();
  }

  /** Two phones in a call without anybody between; not part of the flow. */
  async talking(from: Person, to: Person): Promise<[OutgoingCall, IncomingCall]> {
    const call = this.agents.get(from)!.invite(uriOf(to), { body: OFFER });
    await this.pass(20, 5);
    this.callOf(to).answer({ body: ANSWER });
    await this.pass(40, 5);
    expect([call.state, this.callOf(to).state]).toEqual(['confirmed', 'confirmed']);
    call.on('change', (change) => void change.accept(ANSWER));
    this.said();
    return [call, this.callOf(to)];
  }

  /** Ends what is left and looks for what should not be. */
  async end(...calls: Call[]): Promise<void> {
    for (const call of calls) call.hangup();
    for (const agent of this.agents.values()) await Promise.all([agent.close(), this.pass(100, 10)]);
    for (const registrar of this.registrars) registrar.close();
    await this.expectNothingLeft();
    for (const proxy of this.proxies) {
      expect([proxy.layer.counts.clients, proxy.layer.counts.servers, proxy.clock.size]).toEqual([0, 0, 0]);
    }
  }
}

/** An address of somebody at a proxy. */
export const at = (who: Person, proxy: 'proxy' | 'server'): string =>
  `sip:${who}@${proxy === 'proxy' ? '10.0.0.5' : '10.0.0.6'}`;

/** What a phone does when it is asked to call somebody. */
export function obey(agent: UserAgent, refer: IncomingRefer): Call {
  refer.accept();
  const call = agent.invite(refer.target, { body: OFFER, replaces: refer.replaces });
  call.on('answered', () => refer.notify(200));
  call.on('ended', ({ status }) => refer.notify(status ?? 487));
  return call;
}
