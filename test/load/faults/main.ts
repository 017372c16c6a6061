// Load with faults. Usage: npm run soak -- faults [--messages N | --minutes N [--rate N]] [--nodes N]
import { parseArgs } from 'node:util';
import { FaultCluster } from './cluster.ts';
import { atRest, growth } from './growth.ts';
import { runWithFaults } from './run.ts';

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '20000' },
    minutes: { type: 'string' },
    rate: { type: 'string' },
    nodes: { type: 'string', default: '2' },
  },
});
const minutes = values.minutes === undefined ? undefined : Number(values.minutes);
// A run of minutes is about growth: at this rate the nodes are busy, and the books stay small.
const rate = values.rate === undefined ? (minutes === undefined ? undefined : 100) : Number(values.rate);
const started = performance.now();
const log = (line: string): void =>
  console.log(`${((performance.now() - started) / 1_000).toFixed(0).padStart(5)} s  ${line}`);

await using cluster = await FaultCluster.start(Number(values.nodes));
log(`${values.nodes} nodes on PostgreSQL and NATS`);
const before = await cluster.figures();
const result = await runWithFaults({
  doors: cluster,
  faults: cluster.faults(),
  messages: Number(values.messages),
  log,
  ...(minutes === undefined ? {} : { minutes }),
  ...(rate === undefined ? {} : { rate }),
});
const after = await atRest(before, () => cluster.figures());
const rows = await cluster.rows();
const grown = growth(before, after, rows, result.sent);

const line = (name: string, value: string | number): void => console.log(`  ${name.padEnd(44)} ${value}`);
console.log('\nWhat became of it:');
line('messages sent', result.sent);
line('acknowledged', result.acknowledged);
line('told to clients (each counts)', result.delivered);
line('acknowledged and not told', result.lost);
line('acknowledged and not stored, or stored twice', result.notStored);
line('told out of order', result.outOfOrder);
line('repeats, known by their id', result.repeats);
line('repeats that nobody can know', result.unmarkedRepeats);
line('attempts made again under their key', result.retries);
line('connections that went on elsewhere', result.returns);
line('resyncs', result.resets);
for (const [i, { rssMiB, handles }] of after.entries()) {
  const was = before[i];
  line(`node ${i + 1}: resident MiB, before and after`, `${was?.rssMiB ?? 0}  ${rssMiB}`);
  line(`node ${i + 1}: sockets, timers and the like, before and after`, `${was?.handles ?? 0}  ${handles}`);
}
line(
  'rows',
  Object.entries(rows)
    .flatMap(([table, n]) => (n === 0 ? [] : [`${table} ${n}`]))
    .join(', '),
);
for (const text of result.missing) console.log(`  missing: ${text}`);
for (const what of grown) console.log(`  grown beyond what was stored: ${what}`);

const broken = result.lost + result.notStored + result.outOfOrder + result.unmarkedRepeats + result.resets;
const isWhole = broken === 0 && result.acknowledged === result.sent && grown.length === 0;
console.log(isWhole ? '\nNothing lost, nothing out of order, each repeat marked; nothing has grown.' : '\nNOT WHOLE.');
process.exitCode = isWhole ? 0 : 1;
