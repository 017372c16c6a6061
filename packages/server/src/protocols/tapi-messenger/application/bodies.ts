import { Type, type Static, type TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import type { JsonObject } from '../../../kit/index.ts';
import { isJsonObject } from '../../../kit/index.ts';
import type { Frame } from '../stomp/index.ts';
import { badRequest } from './errors.ts';

/** Bodies of the requests that are ours. Members that are not named here are ignored. */
const CALL_ID = Type.String({ minLength: 1, maxLength: 64 });

export const callBody = bodyOf(Type.Object({ callId: CALL_ID }));
export const holdBody = bodyOf(Type.Object({ callId: CALL_ID, on: Type.Optional(Type.Boolean()) }));
export const transferBody = bodyOf(
  Type.Object({
    callId: CALL_ID,
    toNumber: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    toCallId: Type.Optional(CALL_ID),
  }),
);
export const messageBody = bodyOf(
  Type.Object({
    to: Type.String({ minLength: 1, maxLength: 256 }),
    body: Type.Optional(Type.String()),
    html: Type.Optional(Type.String()),
    attach: Type.Optional(Type.Array(Type.String())),
    data: Type.Optional(Type.Union([Type.Null(), Type.Record(Type.String(), Type.Unknown())])),
  }),
);

/** The JSON value of a frame's body, or undefined. */
export function jsonOf({ body }: Frame): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** @throws bad-request */
export function parseBody<T>(isBody: BodyCheck<T>, frame: Frame): T {
  const value = jsonOf(frame);
  if (isBody(value)) return value;
  throw badRequest('The body is not the JSON object that this destination takes.');
}

type BodyCheck<T> = (value: unknown) => value is T;

/** Compiled once: bodies come with every message. */
function bodyOf<S extends TSchema>(schema: S): BodyCheck<Static<S>> {
  const validator = Compile(schema);
  return (value): value is Static<S> => validator.Check(value);
}

/** What of a parsed body is again JSON: `data` came from JSON.parse, so an object of it is one. */
export function jsonObjectOrNull(value: unknown): JsonObject | null {
  return isJsonObject(value) ? value : null;
}
