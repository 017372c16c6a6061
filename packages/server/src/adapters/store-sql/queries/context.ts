import type { Kysely } from 'kysely';
import type { Queries } from '../../../core/index.ts';
import type { Tables } from '../schema.ts';

export type QueryHandler<K extends keyof Queries> = (
  db: Kysely<Tables>,
  input: Queries[K]['input'],
) => Promise<Queries[K]['output']>;

/** Handlers of every query of one context whose kinds begin with `P`. */
export type QueryHandlers<P extends string> = {
  readonly [K in keyof Queries as K extends `${P}.${string}` ? K : never]: QueryHandler<K>;
};
