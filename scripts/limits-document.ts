// Writes docs/limits.md from the code. Usage: node scripts/limits-document.ts [--write]
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defaultOf } from '../packages/server/src/config/kinds.ts';
import { settingsSchema } from '../packages/server/src/config/schema.ts';
import { settingsOf } from '../packages/server/src/config/settings.ts';
import { readConstants, type Constant } from './limits-source.ts';

/** The parts of the page, in an operator's order, and the folders that each speaks of. */
const AREAS: readonly (readonly [title: string, ...folders: readonly string[]])[] = [
  ['HTTP and WebSockets', 'server/src/http'],
  ['AppWebsocket', 'server/src/protocols/appws'],
  ['Chat API', 'server/src/protocols/chat-api'],
  ['Tapi Messenger', 'server/src/protocols/tapi-messenger'],
  ['People, messages and calls', 'server/src/core', 'server/src/delivery'],
  ['Stores, buses and telephone systems', 'server/src/adapters'],
  ['Log, figures and programs', 'server/src/observe', 'server/src/kit', 'server/src/config', 'server/src/cli'],
  ['The AppWebsocket library', 'appwebsocket/src'],
  ['The SIP library', 'sip/src'],
];

const INTRODUCTION = `# Limits

<!-- Made from the code by scripts/limits-document.ts; a test fails where this page is not current. -->

Everything that a peer can make grow has a bound, and a test that hits it. What is refused with a problem of its own, and what the
listeners cut off, counts in \`tieline_limit_hits_total{surface, limit}\`.
`;

/** A bound as the page shows it. */
export interface Bound {
  readonly name: string;
  readonly value: string;
  readonly reason: string;
  /** What a peer gets that runs into it. */
  readonly peer: string;
  /** `file: beginning of a test's title`, the file without its folders and `.test.ts`. */
  readonly test: string;
}

export interface Limits {
  readonly settings: readonly Bound[];
  readonly areas: readonly { readonly title: string; readonly bounds: readonly Bound[] }[];
  readonly times: readonly Bound[];
}

/** Everything that the page shows. */
export function readLimits(root: string): Limits {
  const areas = AREAS.map(([title, ...folders]) => ({
    title,
    constants: folders.flatMap((f) => constantsIn(root, f)),
  }));
  return {
    settings: settingsOf(settingsSchema).flatMap(({ key, schema, about }) =>
      about.bound === undefined
        ? []
        : [
            {
              ...about.bound,
              name: `\`${key}\``,
              value: shown(key, String(defaultOf(schema))),
              reason: about.description,
            },
          ],
    ),
    areas: areas.map(({ title, constants }) => ({ title, bounds: constants.filter(isBound).map(asBound) })),
    times: areas.flatMap(({ constants }) =>
      constants.filter((c) => !isBound(c) && c.name.endsWith('_MS')).map(asBound),
    ),
  };
}

/** A name that says so is a bound, and so is what says what its peer gets. */
function isBound({ name, peer }: Constant): boolean {
  return name.startsWith('MAX_') || peer !== '';
}

function constantsIn(root: string, folder: string): readonly Constant[] {
  const files = globSync(`packages/${folder}/**/*.ts`, { cwd: root }).filter(
    (file) => !file.includes('.test.') && !file.includes('/test/'),
  );
  return files.sort().flatMap((file) => readConstants(root, file));
}

function asBound({ name, file, value, ...rest }: Constant): Bound {
  return { ...rest, name: `[\`${name}\`](../${file})`, value: shown(name, value) };
}

/** Units as people read them: `256 KiB`, `24 h`. What is no number stays as it stands in the code. */
export function shown(name: string, text: string): string {
  const value = product(text);
  if (value === undefined) return `\`${text}\``;
  const units = /ms$/i.test(name) ? DURATIONS : /bytes/i.test(name) ? SIZES : [];
  const [size, unit] = units.find(([least]) => value >= least && value % least === 0) ?? [1, ''];
  return `${(value / size).toLocaleString('en')} ${unit}`.trim();
}

const DURATIONS = [[3_600_000, 'h'], [60_000, 'min'], [1_000, 's'], [1, 'ms']] as const; // prettier-ignore
const SIZES = [[1_048_576, 'MiB'], [1_024, 'KiB'], [1, 'bytes']] as const; // prettier-ignore

function product(text: string): number | undefined {
  const factors = text.split('*').map((factor) => factor.trim().replaceAll('_', ''));
  return factors.every((f) => /^\d+$/.test(f)) ? factors.reduce((all, f) => all * Number(f), 1) : undefined;
}

/** The page, as it should be. */
export function limitsDocument(root: string): string {
  const { settings, areas, times } = readLimits(root);
  const files = testFiles(root);
  const rowOf = ({ name, value, reason, peer, test }: Bound): readonly string[] => {
    const [file = ''] = filesOf(test, root, files);
    return [name, value, reason, peer, `[${test.slice(0, Math.max(0, test.indexOf(':')))}](../${file})`];
  };
  const head = ['value', 'why', 'what the peer gets', 'test'];
  const plain = times.map((time) => [time.name, time.value, time.reason]);
  return [
    INTRODUCTION,
    section('What can be set', ['setting', ...head], settings.map(rowOf)),
    ...areas.map(({ title, bounds }) => section(title, ['bound', ...head], bounds.map(rowOf))),
    section('Times that are no bounds', ['time', 'value', 'what it is'], plain),
  ].join('\n');
}

function section(title: string, head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows.map((row) => row.map((cell) => cell.replaceAll('|', '\\|')))];
  return [`## ${title}`, '', ...lines.map((line) => `| ${line.join(' | ')} |`), ''].join('\n');
}

/** All files that hold tests; contract suites have no tests of their own. */
export function testFiles(root: string): readonly string[] {
  return globSync(['packages/*/{src,test}/**/*.test.ts', 'test/**/*.test.ts', 'test/contract/*.ts'], { cwd: root });
}

/** The files that a test's name can mean and that hold its title: one, where it is right. */
export function filesOf(test: string, root: string, files: readonly string[]): readonly string[] {
  const [, name = '', title = ''] = /^([^:]*): (.+)$/.exec(test) ?? [];
  if (title === '') return [];
  return files.filter((file) => {
    if (!`/${file}`.replace(/(\.test)?\.ts$/, '').endsWith(`/${name}`)) return false;
    const text = readFileSync(`${root}/${file}`, 'utf8');
    return ['`', "'", '"'].some((quote) => text.includes(quote + title));
  });
}

if (process.argv.includes('--write')) {
  const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
  writeFileSync(`${root}/docs/limits.md`, limitsDocument(root));
}
