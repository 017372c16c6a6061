import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { defaultOf, describedBy } from './kinds.ts';
import { itemsOf, membersOf } from './settings.ts';

/** A tree of values as it was given. */
export type Tree = Readonly<Record<string, unknown>>;

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export interface CheckContext {
  /** Where the value of this key came from, for messages: `TIELINE_HTTP_PORT`. */
  readonly sourceOf: (key: string) => string | undefined;
  readonly problem: (text: string) => void;
}

/** What is shown of a wrong value at most: enough to recognise it. */
const SHOWN_CHARS = 60;

function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)}…` : text;
}

/** The value with all defaults filled in. Each wrong or unknown member is reported, and then has its default. */
export function checked(schema: TSchema, value: unknown, key: string, context: CheckContext): unknown {
  const members = membersOf(schema);
  if (members !== undefined) return checkedSection(members, value, key, context);
  const item = itemsOf(schema);
  if (item !== undefined && Array.isArray(value))
    return value.map((element: unknown, i) => checked(item, element, `${key}[${i}]`, context));
  const given = value ?? defaultOf(schema);
  if (Value.Check(schema, given)) return given;
  const about = describedBy(schema);
  const source = context.sourceOf(key);
  const got = about?.isSecret === true ? '' : `, got ${shown(given)}`;
  const from = source === undefined ? '' : ` (from ${source})`;
  context.problem(`${key}: expected ${about?.expects ?? 'something else'}${got}${from}`);
  return defaultOf(schema);
}

function checkedSection(
  members: readonly (readonly [string, TSchema])[],
  value: unknown,
  key: string,
  context: CheckContext,
): Tree {
  const at = (name: string): string => (key === '' ? name : `${key}.${name}`);
  if (value !== undefined && value !== null && !isTree(value))
    context.problem(`${key}: expected settings (${members.map(([name]) => name).join(', ')}), got ${shown(value)}`);
  const given = isTree(value) ? value : {};
  const known = new Set(members.map(([name]) => name));
  for (const name of Object.keys(given))
    if (!known.has(name)) context.problem(`${at(name)}: no such setting; here are ${[...known].join(', ')}`);
  return Object.fromEntries(
    members
      .filter(([name, member]) => given[name] !== undefined || !isOptional(member))
      .map(([name, member]) => [name, checked(member, given[name], at(name), context)]),
  );
}

function isOptional(schema: TSchema): boolean {
  return '~optional' in schema;
}
