import { expect } from 'vitest';
import {
  createUserAgent,
  type IncomingCall,
  type OutgoingCall,
  type UserAgent,
  type UserAgentOptions,
} from '../src/agent/index.ts';
import { type Body, sdp, textOf } from '../src/offer-answer/index.ts';
import type { Protocol } from '../src/transport/index.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeNetwork, type FakeHost } from './fake-network.ts';

/** Addresses by name: `alice` is 10.0.0.1, and so on. */
export const PEOPLE = ['alice', 'bob', 'carol', 'dora', 'proxy', 'server'] as const;
export type Person = (typeof PEOPLE)[number];

const addressOf = (who: Person): string => `10.0.0.${PEOPLE.indexOf(who) + 1}`;
const NAMES = Object.fromEntries(PEOPLE.map((who) => [addressOf(who), who]));

export const uriOf = (who: Person): string => `sip:${who}@${addressOf(who)}`;

/** Agents on a network in memory with a clock that the test moves. */
export class Stage {
  readonly clock = new FakeClock();
  readonly network = new FakeNetwork(this.clock);
  readonly agents = new Map<Person, UserAgent>();
  readonly hosts = new Map<Person, FakeHost>();
  #from = 0;

  host(who: Person, protocol: Protocol = 'udp'): FakeHost {
    const host = this.network.host(addressOf(who), 5060, protocol);
    this.hosts.set(who, host);
    return host;
  }

  agent(who: Person, options: Partial<UserAgentOptions> = {}, protocol: Protocol = 'udp'): UserAgent {
    const agent = createUserAgent({
      transports: this.host(who, protocol),
      clock: this.clock,
      identity: uriOf(who),
      contactUser: who,
      random: () => 0.5,
      ...options,
    });
    this.agents.set(who, agent);
    return agent;
  }

  /** Lets time pass in small steps. */
  pass(ms: number, stepMs = 10): Promise<void> {
    return this.clock.pass(ms, stepMs);
  }

  /** What was sent since the last look: `alice > bob INVITE`. */
  said(): string[] {
    const lines = this.network.lines(NAMES, this.#from);
    this.#from = this.network.sent.length;
    return lines;
  }

  /** The text of the latest message that matches. */
  last(pattern: RegExp): string {
    const found = this.network.sent.filter((s) => pattern.test(s.text)).at(-1);
    if (found === undefined) throw new Error(`nothing like ${pattern.source} was sent`);
    return found.text;
  }

  /** Everything has ended: nothing is left behind. */
  async expectNothingLeft(): Promise<void> {
    await this.pass(70_000, 500);
    for (const [who, agent] of this.agents)
      expect([who, agent.counts]).toEqual([who, { dialogs: 0, transactions: 0, timers: 0 }]);
    expect(this.clock.size).toBe(0);
  }
}

export const offer = sdp('offer');
export const answer = sdp('answer');
export const text = (body: Body | undefined): string | undefined => (body === undefined ? undefined : textOf(body));

/** Alice calls bob, whose calls are `incoming`; both ends are confirmed, and what was said is forgotten. */
export async function establishCall({
  stage,
  alice,
  incoming,
}: {
  readonly stage: Stage;
  readonly alice: UserAgent;
  readonly incoming: readonly IncomingCall[];
}): Promise<[OutgoingCall, IncomingCall]> {
  const call = alice.invite(uriOf('bob'), { body: offer });
  await stage.pass(20);
  incoming[0]!.answer({ body: answer });
  await stage.pass(20);
  await stage.pass(20);
  expect([call.state, incoming[0]!.state]).toEqual(['confirmed', 'confirmed']);
  stage.said();
  return [call, incoming[0]!];
}
