import type { Json } from '../../kit/index.ts';
import type { LiveCall } from './live-calls.ts';

/** A call as its node tells of it. */
export type Told = Pick<LiveCall, 'call' | 'ref'>;

/** Number `seq` of what a node has told; without a call: so many it has told. */
export interface News {
  readonly seq: number;
  readonly told: Told | null;
}

/** Some of a node's calls, by their ids, as of its news number `seq`. */
export interface Page {
  readonly seq: number;
  readonly told: readonly Told[];
  readonly isLast: boolean;
}

export function encodeNews({ seq, told }: News): Json {
  return { seq, told: told === null ? null : encodeTold(told) };
}

export function encodePage({ seq, told, isLast }: Page): Json {
  return { seq, told: told.map(encodeTold), isLast };
}

function encodeTold({ call, ref }: Told): Json {
  return { call: { ...call }, ref };
}

/** What `encodeNews` made on a node of this cluster. */
export function decodeNews(json: Json): News {
  return json as unknown as News;
}

/** What `encodePage` made there. */
export function decodePage(json: Json): Page {
  return json as unknown as Page;
}
