// Runs the goal table of test/load, or the benchmarks that are named, one after the other, and prints what they measured.
import { globSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** One measured figure. `ratio`: to a bare relay or the like in the same run; `floor`: what the ratio must not fall below. */
export interface BenchRow {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly ratio?: number | null;
  readonly floor?: number | null;
  /** What the ratio should reach; of a row without ratio: what the value should not be above. */
  readonly goal?: number | null;
  /** What the value must not be above. */
  readonly ceiling?: number;
  /** Of one core, that the load agent took. */
  readonly agentShare?: number;
  /** The load agent may have been what was measured. */
  readonly isVoid?: boolean;
}

interface Bench {
  run(): Promise<readonly BenchRow[]>;
}

/** What Tieline must reach, in the order of its table. The others are of its libraries. */
const GOALS = ['one-to-one', 'stored', 'fan-out', 'idle', 'logins', 'posts'];

const root = fileURLToPath(new URL('..', import.meta.url));
const names = globSync('test/load/bench-*.ts', { cwd: root })
  .map((file) => /bench-(.+)\.ts$/.exec(file)?.[1] ?? '')
  .sort();
const given = process.argv.slice(2);
const wanted = given.length === 0 ? GOALS : names.filter((name) => given.some((start) => name.startsWith(start)));
if (wanted.length === 0)
  throw new Error(`No benchmark is called ${given.join(' or ')}. There are: ${names.join(' ')}.`);

let missed = 0;
for (const name of wanted) {
  const bench = (await import(pathToFileURL(`${root}test/load/bench-${name}.ts`).href)) as Bench;
  console.log(`\n${name}`);
  for (const row of await bench.run()) missed += show(row) ? 0 : 1;
}
const others = names.filter((name) => !wanted.includes(name));
if (others.length > 0) console.log(`\nNot run: ${others.join(' ')} (npm run bench -- NAME).`);
console.log(missed === 0 ? '\nEvery floor holds.' : `\n${missed} of the floors missed.`);
process.exitCode = missed === 0 ? 0 : 1;

/** @returns whether its floor holds */
function show({ name, value, unit, ratio, floor, ceiling, goal, agentShare, isVoid }: BenchRow): boolean {
  const isAbove = typeof ratio !== 'number' || typeof floor !== 'number' || ratio >= floor;
  const isKept = isAbove && (ceiling === undefined || value <= ceiling);
  const figure = value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
  const share = ratio === undefined || ratio === null ? '' : `× ${ratio.toFixed(2)}`;
  const marks = [
    typeof goal === 'number' ? `goal ${goal}` : '',
    typeof floor === 'number' ? `floor ${floor}` : '',
    ceiling === undefined ? '' : `at most ${ceiling}`,
    isKept ? '' : 'MISSED',
    agentShare === undefined ? '' : `agent ${Math.round(100 * agentShare)} %`,
    isVoid === true ? 'VOID: the agent was the limit' : '',
  ].filter((mark) => mark !== '');
  console.log(
    `  ${name.padEnd(58)} ${figure.padStart(10)} ${unit.padEnd(12)} ${share.padEnd(8)} ${marks.join('  ')}`.trimEnd(),
  );
  return isKept;
}
