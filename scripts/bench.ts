// Runs every test/load/bench-*.ts (or those named) one after the other and prints what they measured.
import { globSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** One measured figure. `ratio`: to a bare relay or the like in the same run; `floor`: what the ratio must not fall below. */
export interface BenchRow {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly ratio?: number | null;
  readonly floor?: number | null;
}

interface Bench {
  run(): Promise<readonly BenchRow[]>;
}

const root = fileURLToPath(new URL('..', import.meta.url));
const wanted = process.argv.slice(2);
const files = globSync('test/load/bench-*.ts', { cwd: root })
  .filter((file) => wanted.length === 0 || wanted.some((name) => file.includes(`bench-${name}`)))
  .sort();
if (files.length === 0) throw new Error(`No benchmark is called ${wanted.join(' or ')}.`);

let missed = 0;
for (const file of files) {
  const bench = (await import(pathToFileURL(root + file).href)) as Bench;
  console.log(`\n${/bench-(.+)\.ts$/.exec(file)?.[1] ?? file}`);
  for (const row of await bench.run()) missed += show(row) ? 0 : 1;
}
console.log(missed === 0 ? '\nEvery floor holds.' : `\n${missed} below the floor.`);
process.exitCode = missed === 0 ? 0 : 1;

/** @returns whether its floor holds */
function show({ name, value, unit, ratio, floor }: BenchRow): boolean {
  const isKept = ratio === undefined || ratio === null || floor === undefined || floor === null || ratio >= floor;
  const figure = value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
  const share = ratio === undefined || ratio === null ? '' : `× ${ratio.toFixed(2)}`;
  const mark = floor === undefined || floor === null ? '' : `floor ${floor}${isKept ? '' : '  BELOW'}`;
  console.log(`  ${name.padEnd(58)} ${figure.padStart(10)} ${unit.padEnd(12)} ${share.padEnd(8)} ${mark}`.trimEnd());
  return isKept;
}
