import type { Json } from '../../kit/index.ts';
import type { LiveCall } from './live-calls.ts';
import type { Call, CallState } from './model.ts';

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

/** Undefined: no news of ours, such as that of another version. */
export function decodeNews(json: Json): News | undefined {
  if (!isObject(json)) return undefined;
  const { seq, told } = json;
  return isNumber(seq) && (told === null || isTold(told)) ? { seq, told } : undefined;
}

/** Undefined: no page of ours. A call that is not understood is passed over. */
export function decodePage(json: Json): Page | undefined {
  if (!isObject(json)) return undefined;
  const { seq, told, isLast } = json;
  if (!isNumber(seq) || !Array.isArray(told) || typeof isLast !== 'boolean') return undefined;
  return { seq, told: told.filter(isTold), isLast };
}

const STATES: Readonly<Record<CallState, true>> = { ringing: true, connected: true, held: true, ended: true };

function isTold(value: unknown): value is Told {
  return isObject(value) && typeof value['ref'] === 'string' && isCall(value['call']);
}

function isCall(call: unknown): call is Call {
  if (!isObject(call)) return false;
  const texts = [call['id'], call['number'], call['peer']].every((text) => typeof text === 'string');
  const namesOrNull = [call['user'], call['peerName'], call['end']].every(
    (text) => text === null || typeof text === 'string',
  );
  const timesOrNull = [call['connectedAt'], call['endedAt']].every((at) => at === null || isNumber(at));
  const isDirected = call['direction'] === 'inbound' || call['direction'] === 'outbound';
  return texts && namesOrNull && timesOrNull && isDirected && isNumber(call['startedAt']) && isState(call['state']);
}

function isState(value: unknown): boolean {
  return typeof value === 'string' && Object.hasOwn(STATES, value);
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
