/** States of a call in the extended profile (TM §5.5). */
export type TapiCallState = 'RINGING' | 'CONNECTED' | 'ENDED' | 'MISSED' | 'ANSWERED_ELSEWHERE';

/** What a TapiServer says (TM §5.1, §5.5). */
export type ServerMessage =
  | { readonly kind: 'new-call'; readonly caller: string; readonly own: string }
  | { readonly kind: 'ok'; readonly fields: readonly string[] }
  | { readonly kind: 'error'; readonly fields: readonly string[] }
  | { readonly kind: 'hello'; readonly product: string }
  | { readonly kind: 'pong' }
  | {
      readonly kind: 'call-state';
      readonly callId: string;
      readonly state: TapiCallState;
      readonly caller: string;
      readonly own: string;
    }
  /** A known word with too few or impossible fields, or a word we don't know. */
  | { readonly kind: 'malformed'; readonly name: string }
  | { readonly kind: 'unknown'; readonly name: string };

const STATES: readonly string[] = ['RINGING', 'CONNECTED', 'ENDED', 'MISSED', 'ANSWERED_ELSEWHERE'];
/**
 * A caller, who is shown on every screen that listens.
 * @peer cut
 * @test engine-tapi/limits: what is shown is cut
 */
const MAX_CALLER_CHARS = 256;
/**
 * The TapiServer's own id of a call.
 * @peer the message counts as none
 * @test engine-tapi/limits: what is shown is cut
 */
const MAX_CALL_ID_CHARS = 128;
/**
 * The name of a state or of an error.
 * @peer cut
 * @test engine-tapi/limits: what is shown is cut
 */
const MAX_NAME_CHARS = 32;
/**
 * Fields of one payload that are looked at: no message has as many.
 * @peer not looked at
 * @test engine-tapi/limits: fields of one payload
 */
const MAX_FIELDS = 16;

/** Reads a payload; the first field decides, case counts, additional fields are ignored (TM TC-4). Never throws. */
export function parseMessage(payload: string): ServerMessage {
  const [name = '', ...fields] = payload.split(',', MAX_FIELDS);
  switch (name) {
    case 'NEWCALL': {
      const [caller, own] = fields;
      if (caller === undefined || own === undefined) return { kind: 'malformed', name };
      return { kind: 'new-call', caller: caller.slice(0, MAX_CALLER_CHARS), own };
    }
    case 'OK':
      return { kind: 'ok', fields };
    case 'ERROR':
      return { kind: 'error', fields };
    case 'PONG':
      return { kind: 'pong' };
    case 'HELLO': {
      const [version, product = ''] = fields;
      return version === '2' ? { kind: 'hello', product: product.slice(0, 64) } : { kind: 'unknown', name };
    }
    case 'CALLSTATE':
      return parseCallState(fields);
    default:
      return { kind: 'unknown', name: name.slice(0, MAX_NAME_CHARS) };
  }
}

function parseCallState([callId, state, caller, own]: readonly string[]): ServerMessage {
  const isWhole = callId !== undefined && caller !== undefined && own !== undefined && isState(state);
  if (!isWhole || callId === '' || callId.length > MAX_CALL_ID_CHARS) return { kind: 'malformed', name: 'CALLSTATE' };
  return { kind: 'call-state', callId, state, caller: caller.slice(0, MAX_CALLER_CHARS), own };
}

function isState(text: string | undefined): text is TapiCallState {
  return text !== undefined && STATES.includes(text);
}

/** What we say. Numbers are canonical, so no separator can be in them (TM AP-25). */
export const say = {
  listen: (number: string): string => `LISTEN,${number}`,
  stopListen: (number: string): string => `STOPLISTEN,${number}`,
  call: (from: string, to: string): string => `CALL,${from},${to}`,
  ping: (token: string): string => `PING,${token}`,
  hangup: (number: string, callId: string | null): string =>
    callId === null ? `HANGUP,${number}` : `HANGUP,${number},${callId}`,
} as const;
