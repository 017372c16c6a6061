/** Requests that each become an event at one subscriber: the Chat API against bare `node:http`. */
import type { BenchRow } from '../../scripts/bench.ts';
import { Agent } from './agent/agent.ts';
import { profiled, ratioRow, rotate } from './measure.ts';
import { BenchWorld, startBare } from './subject/world.ts';

export async function run(): Promise<readonly BenchRow[]> {
  await using world = await BenchWorld.make();
  await using events = await startBare('events');
  await using tieline = await world.start();
  await using agent = new Agent();
  const bare = {
    subject: events,
    load: await agent.open({ kind: 'posts', surface: 'bare-events', port: events.port }),
  };
  const own = { subject: tieline, load: await agent.open({ kind: 'posts', surface: 'chat-api', port: tieline.port }) };
  const name = 'POST of a message to an event stream';
  const [base, result] = await profiled(tieline, name, () => rotate([bare, own], { window: 1 }));
  return [ratioRow({ name, unit: 'requests', goal: 0.8, floor: 0.6 }, base!, result!)];
}
