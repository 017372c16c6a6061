/**
 * One publisher to many receivers, against the bare servers. Rooms are not there yet, so each surface shows what it fans out
 * today: AppWebsocket presences that everybody watches, STOMP a topic, the Chat API a stored message to all event streams of
 * its receiver.
 */
import type { BenchRow } from '../../scripts/bench.ts';
import { Agent } from './agent/agent.ts';
import type { FanOutSurface } from './agent/load.ts';
import { type Contender, profiled, ratioRow, rotate } from './measure.ts';
import type { Subject } from './subject/subject.ts';
import { BenchWorld, startBare } from './subject/world.ts';

const RECEIVERS = 1_000;
const UNIT = 'deliveries';

interface Part {
  readonly name: string;
  readonly surface: FanOutSurface;
  readonly against: 'relay' | 'events';
  readonly windows: readonly { readonly window: number; readonly goal: number; readonly floor: number }[];
}

const PARTS: readonly Part[] = [
  {
    name: 'fan-out, AppWebsocket (presence)',
    surface: 'appws-presence',
    against: 'relay',
    windows: [
      { window: 1, goal: 1.2, floor: 0.8 },
      { window: 8, goal: 5, floor: 2 },
    ],
  },
  {
    name: 'fan-out, STOMP (topic)',
    surface: 'stomp-topic',
    against: 'relay',
    windows: [{ window: 1, goal: 1.0, floor: 0.6 }],
  },
  {
    name: 'fan-out, SSE (stored message)',
    surface: 'chat-api',
    against: 'events',
    windows: [{ window: 1, goal: 1.3, floor: 0.8 }],
  },
];

export async function run(): Promise<readonly BenchRow[]> {
  await using world = await BenchWorld.make();
  await using relay = await startBare('relay');
  await using events = await startBare('events');
  await using tieline = await world.start();
  await using agent = new Agent();
  const open = async (subject: Subject, surface: FanOutSurface): Promise<Contender> => ({
    subject,
    load: await agent.open({ kind: 'fan-out', surface, port: subject.port, receivers: RECEIVERS }),
  });
  const rows: BenchRow[] = [];
  for (const { name: part, surface, against, windows } of PARTS) {
    const bare = against === 'relay' ? await open(relay, 'bare') : await open(events, 'bare-events');
    const own = await open(tieline, surface);
    for (const { window, goal, floor } of windows) {
      const name = `${part}, window ${window}`;
      const [base, result] = await profiled(tieline, name, () => rotate([bare, own], { window }));
      rows.push(ratioRow({ name, unit: UNIT, goal, floor }, base!, result!));
    }
    await own.load.close();
    await bare.load.close();
  }
  return rows;
}
