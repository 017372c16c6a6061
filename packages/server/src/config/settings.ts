import type { TSchema } from 'typebox';
import { describedBy, type Described } from './kinds.ts';

/** One setting of the schema: a leaf. */
export interface Setting {
  /** `http.limits.bodyBytes` */
  readonly key: string;
  readonly path: readonly string[];
  readonly schema: TSchema;
  readonly about: Described;
  /** Environment names, the one made from the key first. */
  readonly env: readonly string[];
}

/** `http.limits.bodyBytes` → `TIELINE_HTTP_LIMITS_BODY_BYTES` */
export function envName(path: readonly string[]): string {
  const words = path.map((part) => part.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase());
  return ['TIELINE', ...words].join('_');
}

/** Members of a section, in the schema's order; undefined where the schema is no section. */
export function membersOf(schema: TSchema): readonly (readonly [string, TSchema])[] | undefined {
  if (describedBy(schema) !== undefined || !('properties' in schema)) return undefined;
  const { properties } = schema;
  return typeof properties === 'object' && properties !== null ? Object.entries(properties) : undefined;
}

/** Whether `schema` describes a list of sections, and of which. */
export function itemsOf(schema: TSchema): TSchema | undefined {
  if (!('items' in schema) || typeof schema.items !== 'object' || schema.items === null) return undefined;
  return membersOf(schema.items) === undefined ? undefined : schema.items;
}

/** All settings below `schema`, in its order. */
export function settingsOf(schema: TSchema, path: readonly string[] = []): readonly Setting[] {
  const members = membersOf(schema);
  if (members !== undefined) return members.flatMap(([name, member]) => settingsOf(member, [...path, name]));
  const about = describedBy(schema);
  if (about === undefined) throw new Error(`no words about ${path.join('.')}`);
  return [{ key: path.join('.'), path, schema, about, env: [envName(path), ...about.env] }];
}
