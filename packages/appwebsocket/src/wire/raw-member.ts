import { MAX_INFO_DEPTH } from './bounds.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Index behind the string that starts at `start`. */
function afterString(text: string, start: number): number {
  let i = start + 1;
  for (; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit === BACKSLASH) i++;
    else if (unit === QUOTE) break;
  }
  return i + 1;
}

/** Index behind the value that starts at `start`, or -1 if it nests deeper than `MAX_INFO_DEPTH`. */
function afterValue(text: string, start: number): number {
  let depth = 0;
  for (let i = start; i < text.length;) {
    const unit = text[i] as string;
    if (unit === '"') {
      i = afterString(text, i);
      if (depth === 0) return i;
      continue;
    }
    if (unit === '{' || unit === '[') depth++;
    else if (unit === '}' || unit === ']') depth--;
    if (depth > MAX_INFO_DEPTH) return -1;
    const isEndOfScalar = depth === 0 && /[,}\]\s]/.test(text[i + 1] ?? ',');
    if (depth < 0 || (depth === 0 && (unit === '}' || unit === ']'))) return i + 1;
    i++;
    if (isEndOfScalar) return i;
  }
  return text.length;
}

const skipSpace = (text: string, start: number): number => {
  let i = start;
  while (/\s/.test(text[i] ?? '')) i++;
  return i;
};

/**
 * The exact slice of a JSON object's text that is the value of a top-level member (AW §3.4 a). `text` must be
 * valid JSON. Of a repeated member the last one counts, as in `JSON.parse`: a first one that is signed must not
 * cover a second one that is used. Undefined: no such member. Null: some value nests too deep to be a login.
 */
export function rawMember(text: string, name: string): string | null | undefined {
  let found: string | undefined;
  let i = skipSpace(text, text.indexOf('{') + 1);
  while (i < text.length && text[i] !== '}') {
    const keyEnd = afterString(text, i);
    const key: unknown = JSON.parse(text.slice(i, keyEnd));
    const valueStart = skipSpace(text, text.indexOf(':', keyEnd) + 1);
    const valueEnd = afterValue(text, valueStart);
    if (valueEnd < 0) return null;
    if (key === name) found = text.slice(valueStart, valueEnd);
    i = skipSpace(text, valueEnd);
    if (text[i] === ',') i = skipSpace(text, i + 1);
  }
  return found;
}
