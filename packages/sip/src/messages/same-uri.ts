import type { Params } from './params.ts';
import { unescape } from './uri-escapes.ts';
import { isSipUri } from './uri.ts';
import type { Uri } from './uri.ts';

/** RFC 3261 19.1.4: whether two URIs mean the same resource. */
export function sameUri(a: Uri, b: Uri): boolean {
  if (!isSipUri(a) || !isSipUri(b)) return !isSipUri(a) && !isSipUri(b) && a.toString() === b.toString();
  if (a.scheme !== b.scheme || a.user !== b.user || a.password !== b.password) return false;
  if (a.host !== b.host || a.port !== b.port) return false;
  return sameUriParams(a.params, b.params) && sameUriHeaders(a.headers, b.headers);
}

/** These count even where only one side has them. */
const ALWAYS_COMPARED: readonly string[] = ['user', 'ttl', 'method', 'maddr', 'transport'];

function sameUriParams(a: Params, b: Params): boolean {
  for (const [name, value] of a.entries()) {
    const other = b.get(name);
    if (other === undefined) {
      if (ALWAYS_COMPARED.includes(name.toLowerCase())) return false;
    } else if (unescape(other).toLowerCase() !== unescape(value ?? '').toLowerCase()) return false;
  }
  return ALWAYS_COMPARED.every((name) => !b.has(name) || a.has(name));
}

function sameUriHeaders(a: Params, b: Params): boolean {
  if (a.size !== b.size) return false;
  for (const [name, value] of a.entries()) {
    const other = b.get(name);
    if (other === undefined || unescape(other) !== unescape(value ?? '')) return false;
  }
  return true;
}
