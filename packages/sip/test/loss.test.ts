import { expect, test } from 'vitest';
import { scaled, seeded, seedOf } from '../../../test/kit/scale.ts';
import { until } from '../../../test/kit/wait.ts';
import { B2bua } from '../examples/b2bua.ts';
import { createUserAgent, openTransports, sdp, systemClock, type Call, type UserAgent } from '../src/index.ts';
import { Stage, uriOf } from './agent-pair.ts';
import { LossyTransport } from './lossy-transport.ts';

/** What became of one call, from both ends. */
interface Outcome {
  isAnswered: boolean;
  isChanged: boolean;
  ends: string[];
}

interface Scene {
  readonly caller: UserAgent;
  readonly target: string;
  readonly random: () => number;
  readonly after: (ms: number, act: () => void) => void;
}

/** One call: rings, is answered, put on hold, and hung up by one side or the other. */
function makeCall({ caller, target, random, after }: Scene, ringMs: number, talkMs: number): Outcome {
  const outcome: Outcome = { isAnswered: false, isChanged: false, ends: [] };
  const call = caller.invite(target, { body: sdp(`offer ${ringMs}`) });
  call.on('answered', () => {
    outcome.isAnswered = true;
    after(talkMs, () => {
      const leave = (): void => {
        if (random() < 0.5) return call.hangup();
        call
          .request('INFO', { headers: { 'X-Hangup': 'yes' } })
          .catch((error: unknown) => outcome.ends.push(String(error)));
      };
      call.change(sdp('hold')).then(
        () => {
          outcome.isChanged = true;
          after(talkMs, leave);
        },
        (error: unknown) => outcome.ends.push(String(error)),
      );
    });
  });
  call.on('ended', ({ by, error }) => outcome.ends.push(error === undefined ? by : error.code));
  return outcome;
}

/** The other end: answers after a while, and hangs up when it is asked to. */
function beCalled(agent: UserAgent, after: Scene['after'], ringMs: number): Call[] {
  const calls: Call[] = [];
  agent.on('invite', (call) => {
    calls.push(call);
    call.ring();
    after(ringMs, () => call.state === 'ringing' && call.answer({ body: sdp('answer') }));
    call.on('change', (change) => void change.accept(sdp('held')));
    call.on('request', (request) => {
      request.respond(200);
      call.hangup();
    });
  });
  return calls;
}

test('5 % of all datagrams lost, repeated and reordered: no call is lost, and nothing is left', async () => {
  const random = seeded(seedOf('loss'));
  const calls = scaled({ verify: 200, soak: 2_000 });
  const stage = new Stage();
  stage.network.isRecording = false;
  stage.network.faults = { drop: 0.05, duplicate: 0.05, reorder: 0.05, random };
  const after = (ms: number, act: () => void): void => void stage.clock.after(ms, act);
  const alice = stage.agent('alice', { random });
  const bob = stage.agent('bob', { random });
  const b2bua = new B2bua({
    transports: stage.host('server'),
    route: () => [{ uri: uriOf('bob') }],
    agent: { clock: stage.clock, random },
  });
  stage.agents.set('server', b2bua.agent);
  const theirs = beCalled(bob, after, 1_000);
  const outcomes: Outcome[] = [];
  for (let i = 0; i < calls; i += 1) {
    const scene = { caller: alice, target: 'sip:bob@10.0.0.6', random, after };
    outcomes.push(makeCall(scene, i, 2_000));
    await stage.pass(200, 5);
  }
  await stage.pass(60_000, 50);
  const wrong = outcomes.filter(
    (o) => !o.isAnswered || !o.isChanged || o.ends.join() !== (o.ends.includes('us') ? 'us' : 'peer'),
  );
  expect(wrong).toEqual([]);
  expect(theirs).toHaveLength(calls);
  expect(theirs.every((call) => call.end?.error === undefined)).toBe(true);
  await stage.expectNothingLeft();
}, 300_000);

test('the same on real sockets', async () => {
  const random = seeded(seedOf('loss on sockets'));
  const timers = { t1: 60, t2: 240, t4: 300 };
  const calls = scaled({ verify: 40, soak: 400 });
  const sockets = (): number => process.getActiveResourcesInfo().filter((name) => name === 'UDPWRAP').length;
  const before = sockets();
  const open = async (): Promise<Awaited<ReturnType<typeof openTransports>>> =>
    openTransports({ listeners: [{ protocol: 'udp', address: '127.0.0.1', port: 0 }] });
  const [a, s, b] = [await open(), await open(), await open()];
  const portOf = (t: typeof a): number => t.listeners[0]!.local.port;
  const lossy = [a, s, b].map((inner) => new LossyTransport(inner, systemClock, random, 0.05));
  const alice = createUserAgent({ transports: lossy[0]!, timers });
  const bob = createUserAgent({ transports: lossy[2]!, timers });
  const b2bua = new B2bua({
    transports: lossy[1]!,
    route: () => [{ uri: `sip:bob@127.0.0.1:${portOf(b)}` }],
    agent: { timers },
  });
  const after = (ms: number, act: () => void): void => void systemClock.after(ms, act);
  beCalled(bob, after, 50);
  const target = `sip:bob@127.0.0.1:${portOf(s)}`;
  const outcomes: Outcome[] = [];
  for (let i = 0; i < calls; i += 1) {
    outcomes.push(makeCall({ caller: alice, target, random, after }, i, 100));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await until(() => outcomes.every((o) => o.ends.length > 0), 'all calls to end', 60_000);
  expect(outcomes.filter((o) => !o.isAnswered || !o.isChanged || (o.ends[0] !== 'us' && o.ends[0] !== 'peer'))).toEqual(
    [],
  );
  expect(lossy.reduce((sum, l) => sum + l.lost, 0)).toBeGreaterThan(0);
  for (const agent of [alice, b2bua.agent, bob])
    await until(() => Object.values(agent.counts).every((n) => n === 0), 'everything to be gone', 30_000);
  for (const agent of [alice, b2bua.agent, bob]) await agent.close();
  for (const transports of [a, s, b]) await transports.close();
  await until(() => sockets() === before, 'the sockets to close');
}, 120_000);
