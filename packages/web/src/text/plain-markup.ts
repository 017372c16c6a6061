/**
 * The plain-HTML rule (design §6) once more on this side: these elements, no attributes, and nothing of what stands in the
 * dropped ones. Works on the text: no markup of a sender ever reaches a parser of the browser.
 */
export const KEPT: ReadonlySet<string> = new Set(
  'b strong i em u s p br div ul ol li dl dt dd table tr td th code pre blockquote'.split(' '),
);
const DROPPED: ReadonlySet<string> = new Set(
  'script style iframe object embed svg math template noscript textarea title head'.split(' '),
);
/** Deeper elements lose their tags: nesting is the sender's to grow. */
export const MAX_DEPTH = 64;
/** More elements than any message has that somebody wrote; further ones lose their tags. */
export const MAX_ELEMENTS = 2_000;

export type Piece = string | Element;
export interface Element {
  readonly tag: string;
  readonly pieces: readonly Piece[];
}

/** Comments and declarations; tags, whose quoted attributes may hold `>`; and text between. */
const TOKEN = /<!--[\s\S]*?(?:-->|$)|<[!?][^>]*>?|<(\/?)([a-z][a-z0-9]*)((?:"[^"]*"|'[^']*'|[^"'>])*)>|[^<]+|</gi;

interface Open {
  readonly tag: string;
  readonly pieces: Piece[];
}

/** What of the markup may be shown: kept elements as a tree, everything else as its text. */
export function allowedPieces(html: string): readonly Piece[] {
  const root: Open = { tag: '', pieces: [] };
  const open: Open[] = [root];
  let dropping: { readonly tag: string; depth: number } | null = null;
  let elements = 0;
  const here = (): Open => open.at(-1) ?? root;
  for (const [token, slash, name] of html.matchAll(TOKEN)) {
    const tag = name?.toLowerCase();
    if (dropping !== null) {
      if (tag === dropping.tag) dropping.depth += slash === '' ? 1 : -1;
      if (dropping.depth === 0) dropping = null;
    } else if (tag === undefined) {
      if (!/^<[!?]/.test(token)) here().pieces.push(decoded(token));
    } else if (slash === '/') close(open, tag);
    else if (DROPPED.has(tag)) dropping = { tag, depth: token.endsWith('/>') ? 0 : 1 };
    else if (tag === 'br') here().pieces.push({ tag, pieces: [] });
    else if (KEPT.has(tag) && open.length <= MAX_DEPTH && ++elements <= MAX_ELEMENTS) {
      const element: Open = { tag, pieces: [] };
      here().pieces.push(element);
      open.push(element);
    }
    if (dropping?.depth === 0) dropping = null;
  }
  return root.pieces;
}

/** Ends the innermost element of this name, and what was left open in it. */
function close(open: Open[], tag: string): void {
  const at = open.findLastIndex((element) => element.tag === tag);
  if (at > 0) open.splice(at);
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0' };
const LAST_CODE_POINT = 0x10ffff;

function decoded(text: string): string {
  return text.replaceAll(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,5}));/gi, (whole, decimal, hex, name) => {
    if (typeof name === 'string') return ENTITIES[name.toLowerCase()] ?? whole;
    const code = typeof decimal === 'string' ? Number(decimal) : Number.parseInt(String(hex), 16);
    return code > 0 && code <= LAST_CODE_POINT ? String.fromCodePoint(code) : whole;
  });
}
