import type { Endpoint } from '@tieline/sip';
import { startKamailio } from '../../packages/sip/test/peers/kamailio.ts';
import { REGISTER_SCENARIO, startSipp } from '../../packages/sip/test/peers/sipp.ts';
import type { Sipp, SippOptions } from '../../packages/sip/test/peers/sipp.ts';
import { until } from '../kit/wait.ts';
import { callerScenario, challengingCallee } from './sip/scenarios.ts';
import { AGENT_CORE, SUBJECT_CORE, cpuSecondsOf, startSubject } from './sip/subject.ts';
import type { Subject } from './sip/subject.ts';

export interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly ratio?: number | null;
  readonly floor?: number | null;
}

/** Calls a second that one core must set up and tear down; bytes that one call and one registration may hold. */
const PLAIN_FLOOR = 1_000;
const DIGEST_FLOOR = 600;
const CALL_BYTES = 25 * 1024;
const REGISTRATION_BYTES = 8 * 1024;
/** Over this share of its core the load agent may be what was measured. */
const MAX_AGENT_SHARE = 0.8;

interface LoadResult {
  readonly perSecond: number;
  readonly cpuSecondsEach: number;
  readonly agentShare: number;
}

const agent = (options: SippOptions): Promise<Sipp> => startSipp({ ...options, prefix: AGENT_CORE });

/** Enough to keep the server busy, and no more: what waits longer than T1 is sent twice. */
const AT_ONCE = 40;

/** Calls as fast as they go, so many at a time. */
async function load(options: {
  readonly remote: Endpoint;
  readonly callee: Sipp;
  readonly scenario: string;
  readonly calls: number;
  readonly cpuSeconds: () => Promise<number> | number;
}): Promise<LoadResult> {
  const { remote, scenario, calls, cpuSeconds } = options;
  const call = async (count: number): Promise<number> => {
    const more = ['-l', String(AT_ONCE)];
    const caller = await agent({
      scenario,
      remote,
      service: 'bob',
      calls: count,
      callsPerSecond: 4_000,
      callMs: 0,
      more,
    });
    let busySeconds = 0;
    const timer = setInterval(() => (busySeconds = Math.max(busySeconds, cpuSecondsOf(caller.pid))), 50);
    const code = await caller.exited;
    clearInterval(timer);
    const errors = caller.errors();
    await caller.stop();
    if (code !== 0) throw new Error(`calls failed: sipp ended with ${String(code)}\n${errors.slice(0, 2_000)}`);
    return busySeconds;
  };
  await call(Math.ceil(calls / 5));
  const before = { cpu: await cpuSeconds(), callee: cpuSecondsOf(options.callee.pid), at: performance.now() };
  const callerSeconds = await call(calls);
  const seconds = (performance.now() - before.at) / 1000;
  return {
    perSecond: calls / seconds,
    cpuSecondsEach: ((await cpuSeconds()) - before.cpu) / calls,
    agentShare: (callerSeconds + cpuSecondsOf(options.callee.pid) - before.callee) / seconds,
  };
}

function rowsOf(name: string, result: LoadResult, floor: number): Row[] {
  const perCore = 1 / result.cpuSecondsEach;
  const isVoid = result.agentShare > MAX_AGENT_SHARE;
  return [
    {
      name: `${name}: calls for each second of the server's core`,
      value: perCore,
      unit: 'calls/s',
      ratio: perCore / floor,
      floor: 1,
    },
    {
      name: `${name}: calls a second by the clock${isVoid ? ' (void: the agent was the limit)' : ''}`,
      value: result.perSecond,
      unit: 'calls/s',
    },
    { name: `${name}: the agent's share of its core`, value: 100 * result.agentShare, unit: '%' },
  ];
}

export async function benchCalls(calls = 6_000): Promise<Row[]> {
  const callee = await agent({ scenario: 'uas' });
  const subject = await startSubject('plain', callee.local);
  const cpuSeconds = async (): Promise<number> => (await subject.usage()).cpuSeconds;
  const plain = await load({ remote: subject.local, callee, scenario: callerScenario(), calls, cpuSeconds });
  await subject.stop();
  const kamailio = await startKamailio({
    prefix: SUBJECT_CORE,
    workers: 1,
    route: `rewritehostport("${callee.local.address}:${callee.local.port}"); t_relay(); exit;`,
  });
  const proxy = await load({
    remote: kamailio.local,
    callee,
    scenario: callerScenario(),
    calls,
    cpuSeconds: () => cpuSecondsOf(kamailio.pid),
  });
  await kamailio.stop();
  await callee.stop();
  return [
    ...rowsOf('back-to-back agent', plain, PLAIN_FLOOR),
    {
      name: 'the same by kamailio as a proxy, for each second of its core',
      value: 1 / proxy.cpuSecondsEach,
      unit: 'calls/s',
      ratio: proxy.cpuSecondsEach / plain.cpuSecondsEach,
    },
  ];
}

export async function benchDigestCalls(calls = 4_000): Promise<Row[]> {
  const callee = await agent({ scenario: challengingCallee });
  const subject = await startSubject('digest', callee.local);
  const cpuSeconds = async (): Promise<number> => (await subject.usage()).cpuSeconds;
  const scenario = callerScenario('secret-bench');
  const result = await load({ remote: subject.local, callee, scenario, calls, cpuSeconds });
  await subject.stop();
  await callee.stop();
  return rowsOf('back-to-back agent, digest on both legs', result, DIGEST_FLOOR);
}

/** Memory of calls that are up. */
export async function benchHeldCalls(calls = 1_000): Promise<Row[]> {
  const callee = await agent({ scenario: 'uas' });
  const subject = await startSubject('plain', callee.local);
  const scenario = callerScenario();
  const warm = await agent({ scenario, remote: subject.local, calls: 500, callsPerSecond: 300, callMs: 0 });
  await warm.exited;
  await warm.stop();
  await until(async () => (await subject.usage()).transactions === 0, 'the last transaction', 60_000);
  const before = await subject.usage('collect');
  const caller = await agent({
    scenario,
    remote: subject.local,
    calls,
    callsPerSecond: 300,
    callMs: 120_000,
    more: ['-l', String(calls)],
  });
  await until(async () => (await subject.usage()).dialogs >= 2 * calls, 'all calls', 30_000);
  const during = await subject.usage('collect');
  await caller.stop();
  await callee.stop();
  await subject.stop();
  const bytes = (during.heapBytes - before.heapBytes) / calls;
  return [{ name: 'memory of a call in progress', value: bytes, unit: 'bytes', ratio: CALL_BYTES / bytes, floor: 1 }];
}

/** Ten thousand phones that refresh at 500 a second with digest, and the memory of each. */
export async function benchRegistrations(count = 10_000, perSecond = 500): Promise<Row[]> {
  const subject = await startSubject('registrar');
  const fields = Array.from({ length: count }, (_, i) => `u${i};[authentication username=u${i} password=secret-u${i}]`);
  const base = { scenario: REGISTER_SCENARIO, remote: subject.local, calls: count, fields };
  const empty = await subject.usage('collect');
  const first = await registerAll({ ...base, callsPerSecond: 2 * perSecond }, subject);
  await until(async () => (await subject.usage()).transactions === 0, 'the last transaction', 60_000);
  const full = await subject.usage('collect');
  if (full.bindings !== count) throw new Error(`${full.bindings} of ${count} are registered`);
  const refreshed = await registerAll({ ...base, callsPerSecond: perSecond }, subject);
  await subject.stop();
  const bytes = (full.heapBytes - empty.heapBytes) / count;
  return [
    { name: `${count} registrations with digest`, value: first.perSecond, unit: 'a second' },
    {
      name: `${count} refreshed at ${perSecond} a second`,
      value: refreshed.perSecond,
      unit: 'a second',
      // The ramp and the last answers take a little of the time.
      ratio: refreshed.perSecond / perSecond,
      floor: 0.9,
    },
    { name: "the server's share of its core meanwhile", value: 100 * refreshed.share, unit: '%' },
    { name: 'memory of a registration', value: bytes, unit: 'bytes', ratio: REGISTRATION_BYTES / bytes, floor: 1 },
  ];
}

async function registerAll(options: SippOptions, subject: Subject): Promise<{ perSecond: number; share: number }> {
  const [cpu, at] = [(await subject.usage()).cpuSeconds, performance.now()];
  const phones = await agent(options);
  const code = await phones.exited;
  const seconds = (performance.now() - at) / 1000;
  const errors = phones.errors();
  await phones.stop();
  if (code !== 0) throw new Error(`registrations failed: ${errors.slice(0, 2_000)}`);
  const share = ((await subject.usage()).cpuSeconds - cpu) / seconds;
  return { perSecond: (options.calls ?? 0) / seconds, share };
}

export async function run(): Promise<Row[]> {
  return [
    ...(await benchCalls()),
    ...(await benchDigestCalls()),
    ...(await benchHeldCalls()),
    ...(await benchRegistrations()),
  ];
}
