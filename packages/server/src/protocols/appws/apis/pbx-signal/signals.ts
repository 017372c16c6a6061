import { isObject, type JsonObject } from '@tieline/appwebsocket';
import type { CallKind, Cause, Opaque, Party, Setup } from '../../../../core/exchange/index.ts';
import { type Json, nestsDeeper } from '../../../../kit/index.ts';

/** A `sig` object as it came: `type` known, the rest looked at where it is used. */
export interface Sig {
  readonly type: string;
  readonly members: JsonObject;
  readonly facilities: readonly JsonObject[];
  /** Length of the frame it came in. */
  readonly characters: number;
}

/**
 * Facility objects in one frame.
 * @peer its call is released with cause 111
 * @test appws-edges: a frame with too many facilities
 */
export const MAX_FACILITIES = 100;
/**
 * Media and facilities are flat in practice; what is passed on is written anew, and deep nesting costs recursion.
 * @peer its call is released with cause 111
 * @test appws-edges: what nests too deep
 */
export const MAX_DEPTH = 32;

/** Undefined: no object with a `type`, too many facilities, or too deep. */
export function parseSig(value: unknown, characters: number): Sig | undefined {
  if (!isObject(value) || typeof value['type'] !== 'string' || nestsDeeper(value, MAX_DEPTH)) return undefined;
  const fty = Array.isArray(value['fty']) ? (value['fty'] as readonly unknown[]) : [];
  if (fty.length > MAX_FACILITIES) return undefined;
  const facilities = fty.every(isObject) ? fty : fty.filter(isObject);
  return { type: value['type'], members: value, facilities, characters };
}

/** Integers also come as decimal strings (PBX §0.1). */
export function integerOf(value: unknown): number | undefined {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  return typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : undefined;
}

/** Members of a message that only the two ends understand. Media is relayed unchanged (PBX §2.6). */
const RELAYED: ReadonlySet<string> = new Set([
  'channel',
  'channels_cmd',
  'channels',
  'faststart',
  'inband_info',
  'uui',
  'llc',
  'hlc',
  'pi',
  'dsp',
  'key',
]);

/** What of a message goes on to the other end: its media and user data, and facilities that aren't the PBX's own. */
export function opaqueOf(sig: Sig, own: ReadonlySet<string>): readonly Opaque[] {
  const isOwn = (item: JsonObject): boolean => own.has(typeof item['type'] === 'string' ? item['type'] : '');
  // Most messages are a text and nothing else.
  if (sig.facilities.every(isOwn) && !hasRelayed(sig.members)) return NOTHING;
  const fty = sig.facilities.filter((item) => !isOwn(item));
  const value: Record<string, Json> = {};
  for (const member of RELAYED) {
    const given = sig.members[member];
    if (given !== undefined) value[member] = given as Json;
  }
  if (fty.length > 0) value['fty'] = fty as unknown as Json;
  return Object.keys(value).length === 0 ? NOTHING : [{ type: sig.type, value }];
}

function hasRelayed(members: JsonObject): boolean {
  for (const member in members) if (RELAYED.has(member)) return true;
  return false;
}

const NOTHING: readonly Opaque[] = [];

/** Facilities that the PBX makes or takes itself; a peer's own are never passed on. */
export const OWN_FACILITIES: ReadonlySet<string> = new Set([
  'im_setup',
  'im_message',
  'name_identification',
  'cli_override',
]);

/** What relayed bodies add to a message: members, and facilities to append. */
export function unfold(body: readonly Opaque[]): {
  readonly members: JsonObject;
  readonly facilities: readonly JsonObject[];
} {
  const members: Record<string, unknown> = {};
  const facilities: JsonObject[] = [];
  for (const { value } of body) {
    if (!isObject(value)) continue;
    for (const [name, member] of Object.entries(value)) {
      if (name !== 'fty') members[name] = member;
      else if (Array.isArray(member)) facilities.push(...(member as readonly unknown[]).filter(isObject));
    }
  }
  return { members, facilities };
}

/** PBX §2.6 `channel`: absent means no media where the bearer or a facility says so. */
export function kindOf(sig: Sig): CallKind {
  if (sig.facilities.some((item) => item['type'] === 'im_setup')) return 'chat';
  const channel = integerOf(sig.members['channel']);
  if (channel !== undefined) return channel === 0 ? 'plain' : 'media';
  const bearer = typeof sig.members['bc'] === 'string' ? sig.members['bc'].toLowerCase() : '';
  const isService = sig.facilities.some((item) => /^(presence_|dialog_info_|mwi_)/.test(String(item['type'])));
  return bearer === 'a880' || isService ? 'plain' : 'media';
}

/** An endpoint as a peer names it (PBX §2.4). A numeric `num` is taken as its digits. */
export function calledParty(sig: Sig): { readonly sip: string | null; readonly num: string | null } {
  const cd = sig.members['cd'];
  if (!isObject(cd)) return { sip: null, num: null };
  const num = typeof cd['num'] === 'number' ? String(cd['num']) : cd['num'];
  return {
    sip: typeof cd['sip'] === 'string' && cd['sip'] !== '' ? cd['sip'] : null,
    num: typeof num === 'string' && num !== '' ? num.replace(/^[RSNI]+/, '') : null,
  };
}

export function endpointOf(party: Party): JsonObject {
  return { ...(party.number === null ? {} : { num: party.number }), sip: party.name };
}

export function nameOf(party: Party): JsonObject {
  return { type: 'name_identification', name: party.displayName };
}

export function setupSig(setup: Setup): JsonObject {
  const { members, facilities } = unfold(setup.body);
  const isMedia = setup.kind === 'media';
  return {
    type: 'setup',
    bc: isMedia ? '8090a2' : 'a880',
    channel: isMedia ? -1 : 0,
    complete: true,
    cg: endpointOf(setup.caller),
    cd: endpointOf(setup.callee),
    confId: setup.conference,
    callId: setup.leg,
    ...members,
    fty: [...(setup.kind === 'chat' ? [{ type: 'im_setup' }] : []), nameOf(setup.caller), ...facilities],
  };
}

export function releaseSig(cause: Cause, body: readonly Opaque[]): JsonObject {
  const { members, facilities } = unfold(body);
  return { type: 'rel', cau: { num: cause }, ...members, ...(facilities.length > 0 ? { fty: facilities } : {}) };
}

export function causeOf(sig: Sig): Cause {
  const cau = sig.members['cau'];
  const num = isObject(cau) ? integerOf(cau['num']) : undefined;
  return num !== undefined && num >= 1 && num <= 127 ? num : 16;
}
