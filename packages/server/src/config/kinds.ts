import { Type, type TSchema } from 'typebox';

/** What a setting may be, in words: `expected …` in error messages and in the documentation. */
interface Described {
  readonly description: string;
  readonly expects: string;
  /** Environment names besides the one made from the key. */
  readonly env?: readonly string[];
  /** Never shown: not in errors, not in logs. */
  readonly isSecret?: boolean;
}

interface Extra {
  readonly env?: readonly string[];
  readonly isSecret?: boolean;
  /** Narrower words than the kind's own. */
  readonly expects?: string;
  readonly pattern?: string;
}

/** The annotations of a setting's schema. */
export function describedBy(schema: TSchema): Described | undefined {
  return 'expects' in schema && 'description' in schema ? (schema as TSchema & Described) : undefined;
}

/** The documented default: what the schema says, or nothing for settings that must not have one. */
export function defaultOf(schema: TSchema): unknown {
  return 'default' in schema ? structuredClone(schema.default) : undefined;
}

export function flag(description: string, value: boolean, extra: Extra = {}) {
  return Type.Boolean({ default: value, description, expects: 'true or false', ...extra });
}

export function count(
  description: string,
  value: number,
  { min = 0, max = 2_147_483_647, ...extra }: Extra & { readonly min?: number; readonly max?: number } = {},
) {
  const expects = `a whole number from ${min} to ${max}`;
  return Type.Integer({ default: value, minimum: min, maximum: max, description, expects, ...extra });
}

export function text(description: string, value: string, extra: Extra = {}) {
  return Type.String({ default: value, minLength: 1, description, expects: 'text', ...extra });
}

/** A text that may be left out. */
export function maybeText(description: string, extra: Extra = {}) {
  const { pattern, ...rest } = extra;
  const some = Type.String({ minLength: 1, ...(pattern === undefined ? {} : { pattern }) });
  return Type.Union([some, Type.Null()], { default: null, description, expects: 'text', ...rest });
}

export function list(description: string, value: readonly string[], extra: Extra = {}) {
  const { pattern, ...rest } = extra;
  const item = Type.String({ minLength: 1, ...(pattern === undefined ? {} : { pattern }) });
  return Type.Array(item, { default: [...value], description, expects: 'a list of texts', ...rest });
}

export function choice<const T extends readonly string[]>(
  description: string,
  values: T,
  value: T[number],
  extra: Extra = {},
) {
  return Type.Enum(values, { default: value, description, expects: `one of ${values.join(', ')}`, ...extra });
}

/** Names and texts, such as logins and passcodes. */
export function table(description: string, extra: Extra = {}) {
  return Type.Record(Type.String(), Type.String(), {
    default: {},
    description,
    expects: 'a map of names to texts',
    ...extra,
  });
}
