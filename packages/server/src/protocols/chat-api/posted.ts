import { isJsonObject, type JsonObject, parseJsonObject } from '../../kit/index.ts';
import { badRequest } from './errors.ts';
import { MAX_DATA_DEPTH } from './limits.ts';

/** What a client posted as a message. */
export interface Posted {
  readonly body: string;
  /** The JSON object without its `body`; null where plain text was posted. */
  readonly data: JsonObject | null;
}

/** OF §5.6: a JSON object carries its `body`, and travels itself as data; anything else is the text. @throws bad-request */
export function parsePosted(text: string): Posted {
  const object = text.trimStart().startsWith('{') ? parseJsonObject(text) : undefined;
  if (object === undefined) return { body: text, data: null };
  if (isDeeper(object, MAX_DATA_DEPTH)) throw badRequest('data', `Data may be nested ${MAX_DATA_DEPTH} levels deep.`);
  const { body, ...rest } = object;
  return typeof body === 'string' && body !== '' ? { body, data: rest } : { body: '', data: object };
}

/** Without recursion: the depth is the peer's. */
function isDeeper(value: JsonObject, limit: number): boolean {
  let level: readonly unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth >= limit) return true;
    level = level.flatMap((item) => childrenOf(item));
  }
  return false;
}

function childrenOf(value: unknown): readonly unknown[] {
  const members: readonly unknown[] = Array.isArray(value) ? value : isJsonObject(value) ? Object.values(value) : [];
  return members.filter((member) => typeof member === 'object' && member !== null);
}
