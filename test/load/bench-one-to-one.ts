/** One-to-one chat against the bare relay: signalling over AppWebsocket, STOMP over WebSocket and SockJS. */
import type { BenchRow } from '../../scripts/bench.ts';
import { Agent, type AgentLoad } from './agent/agent.ts';
import { percentile } from './agent/figures.ts';
import type { LoadSpec, Surface } from './agent/load.ts';
import { type Contender, profiled, ratioRow, rotate, stretch } from './measure.ts';
import type { Subject } from './subject/subject.ts';
import { BenchWorld, startBare } from './subject/world.ts';

const PAIRS = 200;
const UNIT = 'messages';
/** The fixed rate at which waiting times are told. */
const RATE_PER_SECOND = 2_000;
const PACED_SECONDS = 2;

interface Part {
  readonly name: string;
  readonly surface: Surface;
  readonly hasMarkup: boolean;
  readonly windows: readonly { readonly window: number; readonly goal: number; readonly floor: number | null }[];
}

const PARTS: readonly Part[] = [
  {
    name: 'one-to-one, AppWebsocket',
    surface: 'appws',
    hasMarkup: false,
    windows: [
      { window: 1, goal: 1.0, floor: 0.7 },
      { window: 8, goal: 1.2, floor: 0.8 },
    ],
  },
  {
    name: 'one-to-one, AppWebsocket, text with markup',
    surface: 'appws',
    hasMarkup: true,
    windows: [
      { window: 1, goal: 0.7, floor: null },
      { window: 8, goal: 0.8, floor: null },
    ],
  },
  {
    name: 'one-to-one, STOMP over WebSocket',
    surface: 'stomp',
    hasMarkup: false,
    windows: [{ window: 1, goal: 0.7, floor: 0.5 }],
  },
  {
    name: 'one-to-one, STOMP over SockJS',
    surface: 'sockjs',
    hasMarkup: false,
    windows: [{ window: 1, goal: 0.55, floor: 0.4 }],
  },
];

export async function run(): Promise<readonly BenchRow[]> {
  await using world = await BenchWorld.make();
  await using relay = await startBare('relay');
  await using tieline = await world.start();
  await using agent = new Agent();
  const open = (subject: Subject, surface: Surface, hasMarkup: boolean): Promise<AgentLoad> =>
    agent.open({
      kind: 'pairs',
      surface,
      ports: [subject.port],
      pairs: PAIRS,
      users: 'u',
      hasMarkup,
    } satisfies LoadSpec);
  const rows: BenchRow[] = [];
  for (const part of PARTS) {
    const { surface, hasMarkup } = part;
    const bare: Contender = { subject: relay, load: await open(relay, 'bare', hasMarkup) };
    const own: Contender = { subject: tieline, load: await open(tieline, surface, hasMarkup) };
    for (const { window, goal, floor } of part.windows) {
      const name = `${part.name}, window ${window}`;
      const [base, result] = await profiled(tieline, name, () => rotate([bare, own], { window }));
      rows.push(ratioRow({ name, unit: UNIT, goal, floor }, base!, result!));
    }
    if (surface === 'appws' && !hasMarkup) rows.push(...(await waitingTimes([bare, own])));
    await own.load.close();
    await bare.load.close();
  }
  return rows;
}

/** How long a message takes where the server has time. */
async function waitingTimes([bare, own]: readonly [Contender, Contender]): Promise<readonly BenchRow[]> {
  const drive = { window: 1, ratePerSecond: RATE_PER_SECOND };
  const p99 = async (contender: Contender): Promise<number> => {
    const busySeconds = Number.POSITIVE_INFINITY;
    const { latenciesMs } = await stretch(contender, drive, busySeconds, PACED_SECONDS * 1_000);
    return percentile(latenciesMs, 0.99);
  };
  const name = `one-to-one, ${RATE_PER_SECOND} messages a second: p99`;
  const [base, value] = [await p99(bare), await p99(own)];
  return [
    { name: `${name}, bare`, value: base, unit: 'ms' },
    { name: `${name}, AppWebsocket`, value, unit: 'ms', goal: 0.3 },
  ];
}
