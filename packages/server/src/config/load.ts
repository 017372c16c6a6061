import { readFileSync } from 'node:fs';
import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { parseDocument } from 'yaml';
import { reasonOf } from '../kit/index.ts';
import { checked, isTree, type Tree } from './check.ts';
import type { Config } from './config.ts';
import { isSet, readEnvironment, withValue, type Environment } from './environment.ts';
import { resolveSettings } from './resolve.ts';
import { settingsSchema } from './schema.ts';

/** All that is wrong with the settings, a line each: key, what was expected, what was found. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(['The settings are not right:', ...problems.map((p) => `  ${p}`)].join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

export interface ConfigSources {
  readonly env: Environment;
  /** Reads the file that TIELINE_CONFIG names. */
  readonly readFile?: (path: string) => string;
  /** What relative paths are relative to. */
  readonly cwd?: string;
}

/** Settings from the environment, the file and the defaults, in this order. @throws ConfigError with all that is wrong */
export function loadConfig({ env, readFile = readText, cwd = process.cwd() }: ConfigSources): Config {
  const problems: string[] = [];
  const problem = (text: string): void => {
    problems.push(text);
  };
  const path = env['TIELINE_CONFIG'];
  const file = path === undefined || !isSet(path) ? undefined : readSettings(path, readFile, problem);
  const fromEnv = readEnvironment(env);
  fromEnv.problems.forEach(problem);
  const base = file ?? { demo: !isSet(env['TIELINE_DATABASE_URL']) };
  const given = merged(base, fromEnv.values);
  const settings = checked(settingsSchema, given, '', { sourceOf: (key) => fromEnv.sources.get(key), problem });
  if (!isComplete(settingsSchema, settings)) throw new ConfigError(problems);
  const config = resolveSettings(settings, { cwd, problem, isGiven: (key) => valueAt(given, key) !== undefined });
  if (problems.length > 0) throw new ConfigError(problems);
  return deepFreeze(config);
}

function readText(path: string): string {
  return readFileSync(path, 'utf8');
}

function isComplete<T extends TSchema>(schema: T, value: unknown): value is ReturnType<typeof Value.Parse<T>> {
  return Value.Check(schema, value);
}

function readSettings(path: string, readFile: (path: string) => string, problem: (text: string) => void): Tree {
  let text: string;
  try {
    text = readFile(path);
  } catch (error) {
    problem(`TIELINE_CONFIG: expected a readable file: ${reasonOf(error)}`);
    return {};
  }
  const document = parseDocument(text);
  for (const { message } of document.errors) problem(`${path}: ${message.split('\n')[0] ?? ''}`);
  if (document.errors.length > 0) return {};
  const value: unknown = document.toJS();
  if (value === null || isTree(value)) return value ?? {};
  problem(`${path}: expected settings such as "http: { port: 8080 }"`);
  return {};
}

/** The members of both; those of `upper` win. */
function merged(lower: Tree, upper: Tree): Tree {
  let result = lower;
  for (const [name, value] of Object.entries(upper)) {
    const below = lower[name];
    result = withValue(result, [name], isTree(value) && isTree(below) ? merged(below, value) : value);
  }
  return result;
}

function valueAt(tree: Tree, key: string): unknown {
  return key.split('.').reduce<unknown>((value, name) => (isTree(value) ? value[name] : undefined), tree);
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}
