import { Type, type TSchema } from 'typebox';

/** What a setting may be, in words: `expected …` in error messages and in the documentation. */
export interface Described {
  readonly description: string;
  readonly expects: string;
  /** Environment names besides the one made from the key. */
  readonly env: readonly string[];
  /** Never shown: not in errors, not in logs. */
  readonly isSecret: boolean;
  /** Where it bounds what a peer can grow: what the peer gets, and the test that hits it (docs/limits.md). */
  readonly bound?: Bounding;
}

export interface Bounding {
  readonly peer: string;
  /** `file: beginning of the title` */
  readonly test: string;
}

interface Extra {
  readonly env?: readonly string[];
  readonly isSecret?: boolean;
  /** Narrower words than the kind's own. */
  readonly expects?: string;
  readonly pattern?: string;
}

/** What a setting's schema says about it; undefined for sections. */
export function describedBy(schema: TSchema): Described | undefined {
  if (!('expects' in schema && typeof schema.expects === 'string')) return undefined;
  if (!('description' in schema && typeof schema.description === 'string')) return undefined;
  return {
    description: schema.description,
    expects: schema.expects,
    env: 'env' in schema && Array.isArray(schema.env) ? schema.env.map(String) : [],
    isSecret: 'isSecret' in schema && schema.isSecret === true,
    ...('bound' in schema && isBounding(schema.bound) ? { bound: schema.bound } : {}),
  };
}

function isBounding(value: unknown): value is Bounding {
  return typeof value === 'object' && value !== null && 'peer' in value && 'test' in value;
}

/** A fresh copy of the default. */
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

/** A count that bounds what a peer can grow. */
export function bound(
  description: string,
  value: number,
  { peer, test, ...range }: Bounding & { readonly min?: number; readonly max?: number },
) {
  return { ...count(description, value, range), bound: { peer, test } };
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

export function choice<const T extends string>(
  description: string,
  values: readonly T[],
  value: NoInfer<T>,
  extra: Extra = {},
) {
  const expects = `one of ${values.join(', ')}`;
  return Type.Unsafe<T>(Type.Enum([...values], { default: value, description, expects, ...extra }));
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
