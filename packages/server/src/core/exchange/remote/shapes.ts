/** Says whether a value that another node has sent has this shape; members that it doesn't know are passed over. */
export type Shape<T> = (value: unknown) => value is T;
export type Shaped<S> = S extends Shape<infer T> ? T : never;

/**
 * Ids, names, numbers: longer ones are no such things.
 * @peer what another node says so is passed over
 * @test remote/messages: $say without one of its members
 */
const MAX_TEXT = 1_000;

export function text<T extends string = string>(): Shape<T> {
  return (value): value is T => typeof value === 'string' && value.length <= MAX_TEXT;
}

export function integer(from: number, to: number): Shape<number> {
  return (value): value is number => Number.isSafeInteger(value) && Number(value) >= from && Number(value) <= to;
}

export const flag: Shape<boolean> = (value) => typeof value === 'boolean';

export function oneOf<const T extends string>(...words: readonly T[]): Shape<T> {
  return (value): value is T => words.some((word) => word === value);
}

export function orNull<T>(shape: Shape<T>): Shape<T | null> {
  return (value): value is T | null => value === null || shape(value);
}

export function listOf<T>(shape: Shape<T>, limit: number): Shape<readonly T[]> {
  return (value): value is readonly T[] => Array.isArray(value) && value.length <= limit && value.every(shape);
}

type Members = Readonly<Record<string, Shape<unknown>>>;

export function members<const M extends Members>(shapes: M): Shape<{ readonly [K in keyof M]: Shaped<M[K]> }> {
  const all = Object.entries(shapes);
  return (value): value is { readonly [K in keyof M]: Shaped<M[K]> } =>
    typeof value === 'object' && value !== null && all.every(([name, shape]) => shape(own(value, name)));
}

function own(value: object, name: string): unknown {
  return Object.hasOwn(value, name) ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}
