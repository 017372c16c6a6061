/** Logins by digest on AppWebsocket, against handshakes of the bare relay, which knows no login. */
import type { BenchRow } from '../../scripts/bench.ts';
import { Agent } from './agent/agent.ts';
import { profiled, ratioRow, rotate } from './measure.ts';
import { BenchWorld, startBare } from './subject/world.ts';

export async function run(): Promise<readonly BenchRow[]> {
  await using world = await BenchWorld.make();
  await using relay = await startBare('relay');
  await using tieline = await world.start();
  await using agent = new Agent();
  const bare = { subject: relay, load: await agent.open({ kind: 'logins', surface: 'bare', port: relay.port }) };
  const own = { subject: tieline, load: await agent.open({ kind: 'logins', surface: 'appws', port: tieline.port }) };
  const name = 'logins by digest, AppWebsocket';
  const [base, result] = await profiled(tieline, name, () => rotate([bare, own], { window: 1 }));
  return [ratioRow({ name, unit: 'logins', goal: 0.9, floor: 0.6 }, base!, result!)];
}
