/** SockJS frames (TM §2.4): `o`, `h`, `a[…]`, `c[…]` towards the client, JSON arrays of strings from it. */

export const openFrame = 'o';
export const heartbeatFrame = 'h';

/** TM SJ-36. JSON.stringify has already escaped the controls, and surrogates that stand alone. */
const escapable = /[\ud800-\udfff\u200c-\u200f\u2028-\u202f\u2060-\u206f\ufff0-\uffff]/g;
const isEscapable = /[\ud800-\udfff\u200c-\u200f\u2028-\u202f\u2060-\u206f\ufff0-\uffff]/;

/** A JSON string literal that survives every transport. */
export function quoteText(text: string): string {
  const json = JSON.stringify(text);
  return isEscapable.test(json) ? json.replace(escapable, unicodeEscape) : json;
}

/** `quoteText` without the quotes. */
export function escapeText(text: string): string {
  return quoteText(text).slice(1, -1);
}

function unicodeEscape(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** `quoted` are JSON literals, joined by commas. */
export function arrayFrame(quoted: string): string {
  return `a[${quoted}]`;
}

export function closeFrame(code: number, reason: string): string {
  return `c[${code},${quoteText(reason)}]`;
}

/**
 * The messages of what a client sent, or undefined where it is no JSON array or string. Members that are no strings are
 * delivered as their JSON text (TM SJ-41); a bare string counts as one message (TM §2.4).
 */
export function decodeMessages(json: string): readonly string[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json);
    if (typeof value === 'string') return [value];
    if (!Array.isArray(value)) return undefined;
    return value.map((member) => (typeof member === 'string' ? member : JSON.stringify(member)));
  } catch (error) {
    // SyntaxError: no JSON. RangeError: nested too deep to be written again.
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined;
    throw error;
  }
}
