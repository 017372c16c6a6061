import { type JsonObject, nestsDeeper, parseJsonObject } from '../../kit/index.ts';
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
  if (nestsDeeper(object, MAX_DATA_DEPTH))
    throw badRequest('data', `Data may be nested ${MAX_DATA_DEPTH} levels deep.`);
  const { body, ...rest } = object;
  return typeof body === 'string' && body !== '' ? { body, data: rest } : { body: '', data: object };
}
