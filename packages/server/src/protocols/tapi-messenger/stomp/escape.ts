import type { StompVersion } from './frame.ts';

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', ':': '\\c', '\r': '\\r' };

/** A header name or value as it stands in a frame. What a version can't write becomes a space. */
export function escapeHeader(text: string, version: StompVersion): string {
  if (!/[\\\n\r:\0]/.test(text)) return text;
  const safe = text.replaceAll('\0', ' ');
  if (version === '1.0') return safe.replace(/[\r\n]/g, ' ');
  if (version === '1.1') return safe.replaceAll('\r', ' ').replace(/[\\\n:]/g, (c) => ESCAPES[c] ?? c);
  return safe.replace(/[\\\n:\r]/g, (c) => ESCAPES[c] ?? c);
}

/** The text that a header of a frame means; undefined where it has an escape that its version does not define. */
export function unescapeHeader(text: string, version: StompVersion): string | undefined {
  if (version === '1.0' || !text.includes('\\')) return text;
  let out = '';
  for (let from = 0; ;) {
    const at = text.indexOf('\\', from);
    if (at === -1) return out + text.slice(from);
    const meant = meaningOf(text.charAt(at + 1), version);
    if (meant === undefined) return undefined;
    out += text.slice(from, at) + meant;
    from = at + 2;
  }
}

function meaningOf(letter: string, version: StompVersion): string | undefined {
  switch (letter) {
    case 'n':
      return '\n';
    case 'c':
      return ':';
    case '\\':
      return '\\';
    case 'r':
      return version === '1.2' ? '\r' : undefined;
    default:
      return undefined;
  }
}
