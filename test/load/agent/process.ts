/** The load agent: a process of its own, so that what it costs is told apart from what the server costs. */
import { FanOut } from './fan-out.ts';
import type { Drive, Load, LoadSpec, Outcome } from './load.ts';
import { openIdle, openLogins, openPosts } from './others.ts';
import { Pairs } from './pairs.ts';

export type Order =
  | { readonly do: 'open'; readonly spec: LoadSpec }
  | { readonly do: 'start'; readonly load: number; readonly drive: Drive }
  | { readonly do: 'stop'; readonly load: number }
  | { readonly do: 'grow'; readonly load: number; readonly count: number }
  | { readonly do: 'close'; readonly load: number };

/** With `stop`: how the run went. `agentShare`: of one core. */
export type RunResult = Outcome & { readonly seconds: number; readonly agentShare: number };
export type Answer = { readonly ok: number | RunResult | null } | { readonly error: string };

const loads = new Map<number, Load>();
let next = 1;
let began = { atMs: 0, cpu: process.cpuUsage() };

function openLoad(spec: LoadSpec): Promise<Load> | Load {
  switch (spec.kind) {
    case 'pairs':
      return Pairs.open(spec);
    case 'fan-out':
      return FanOut.open(spec);
    case 'posts':
      return openPosts(spec);
    case 'logins':
      return openLogins(spec);
    case 'idle':
      return openIdle(spec);
  }
}

function loadOf(number: number): Load {
  const load = loads.get(number);
  if (load === undefined) throw new Error(`no load ${number}`);
  return load;
}

async function obey(order: Order): Promise<number | RunResult | null> {
  switch (order.do) {
    case 'open':
      loads.set(next, await openLoad(order.spec));
      return next++;
    case 'start':
      began = { atMs: performance.now(), cpu: process.cpuUsage() };
      loadOf(order.load).start(order.drive);
      return null;
    case 'stop': {
      const outcome = await loadOf(order.load).stop();
      const seconds = (performance.now() - began.atMs) / 1_000;
      const { user, system } = process.cpuUsage(began.cpu);
      return { ...outcome, seconds, agentShare: (user + system) / 1e6 / seconds };
    }
    case 'grow':
      await loadOf(order.load).grow(order.count);
      return null;
    case 'close':
      loadOf(order.load).close();
      loads.delete(order.load);
      return null;
  }
}

process.on('message', (order: Order) => {
  obey(order).then(
    (ok) => process.send?.({ ok } satisfies Answer),
    (error: unknown) =>
      process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
process.on('disconnect', () => process.exit());
