import { parse } from 'yaml';
import { reasonOf } from '../kit/index.ts';
import { isTree, type Tree } from './check.ts';
import { settingsOf, type Setting } from './settings.ts';
import { settingsSchema } from './schema.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Set by the test runner, or by us for ourselves; no settings. */
const NO_SETTINGS: ReadonlySet<string> = new Set([
  'TIELINE_CONFIG',
  'TIELINE_TAPI_SERVER',
  'TIELINE_VERIFY',
  'TIELINE_SOAK',
  'TIELINE_SEED',
]);

/** What Kubernetes puts into every container where a service is called `tieline`. */
const KUBERNETES = /^TIELINE_(SERVICE_(HOST|PORT)(_\w+)?|PORT|PORT_\d+_(TCP|UDP)(_\w+)?)$/;

const FLAGS: Readonly<Record<string, boolean>> = {
  '1': true,
  true: true,
  yes: true,
  on: true,
  '0': false,
  false: false,
  no: false,
  off: false,
};

export interface FromEnvironment {
  readonly values: Tree;
  /** The name that each key was set by. */
  readonly sources: ReadonlyMap<string, string>;
  readonly problems: readonly string[];
}

/** Settings that the environment makes. An empty variable counts as absent. */
export function readEnvironment(env: Environment): FromEnvironment {
  const settings = settingsOf(settingsSchema);
  const problems: string[] = [];
  const sources = new Map<string, string>();
  let values: Tree = {};
  for (const setting of settings) {
    const given = setting.env.filter((name) => isSet(env[name]));
    const [first] = given;
    if (first === undefined) continue;
    if (given.some((name) => env[name] !== env[first]))
      problems.push(`${setting.key}: ${given.join(' and ')} say different things`);
    try {
      values = withValue(values, setting.path, parseText(setting, env[first] ?? ''));
      sources.set(setting.key, first);
    } catch (error) {
      problems.push(`${setting.key}: ${first} is no valid YAML or JSON: ${reasonOf(error).split('\n')[0] ?? ''}`);
    }
  }
  const names = new Set(settings.flatMap((setting) => setting.env));
  for (const name of Object.keys(env))
    if (name.startsWith('TIELINE_') && !names.has(name) && !NO_SETTINGS.has(name) && !KUBERNETES.test(name))
      problems.push(`${name}: no such setting; docs/configuration.md lists them all`);
  return tapiServer(env, { values, sources, problems });
}

export function isSet(text: string | undefined): boolean {
  return text !== undefined && text.trim() !== '';
}

/** `TIELINE_TAPI_SERVER=host:port` is both settings in one. */
function tapiServer(env: Environment, read: FromEnvironment): FromEnvironment {
  const text = env['TIELINE_TAPI_SERVER'];
  if (text === undefined || !isSet(text)) return read;
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:\s[\]]+))(?::(\d{1,5}))?$/.exec(text.trim());
  const host = match?.[1] ?? match?.[2];
  if (match === null || host === undefined) {
    const problem = `tapi.host: expected TIELINE_TAPI_SERVER as host:port, got ${JSON.stringify(text)}`;
    return { ...read, problems: [...read.problems, problem] };
  }
  const values = withValue(read.values, ['tapi', 'host'], host);
  const sources = new Map(read.sources).set('tapi.host', 'TIELINE_TAPI_SERVER').set('tapi.port', 'TIELINE_TAPI_SERVER');
  return {
    ...read,
    values: match[3] === undefined ? values : withValue(values, ['tapi', 'port'], Number(match[3])),
    sources,
  };
}

/** The text as its setting's kind of value; what fits no kind stays text, and the check says what was expected. */
function parseText({ schema }: Setting, text: string): unknown {
  const trimmed = text.trim();
  const type = 'type' in schema ? schema.type : undefined;
  if (type === 'boolean') return FLAGS[trimmed.toLowerCase()] ?? text;
  if (type === 'integer') return /^-?\d+$/.test(trimmed) ? Number(trimmed) : text;
  if (type === 'object') return parse(text);
  if (type !== 'array') return text;
  if (trimmed.startsWith('[')) return parse(text);
  return trimmed.split(',').map((part) => part.trim());
}

/** A copy of `tree` in which `path` leads to `value`. */
export function withValue(tree: Tree, path: readonly string[], value: unknown): Tree {
  const [name, ...rest] = path;
  if (name === undefined) return tree;
  const inner = tree[name];
  return { ...tree, [name]: rest.length === 0 ? value : withValue(isTree(inner) ? inner : {}, rest, value) };
}
