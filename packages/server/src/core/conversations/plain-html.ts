import { Parser } from 'htmlparser2';

/** Kept, without attributes (PBX §3.5). */
const KEPT = new Set('b strong i em u s p br div ul ol li dl dt dd table tr td th code pre blockquote'.split(' '));
/** Removed with everything inside. */
const DROPPED = new Set('script style iframe object embed svg math template noscript textarea title head'.split(' '));
/**
 * Elements that open deeper than this are unwrapped: nesting is a peer's to grow.
 * @peer the text without the inner elements
 * @test plain-html: nesting is bounded
 */
const MAX_DEPTH = 64;
/**
 * Elements that end an open one by opening, as HTML parsers read them. An element that was unwrapped may have stood between; in the
 * output they would be neighbours, and be read as something else.
 */
const ENDS: Readonly<Record<string, readonly string[]>> = {
  li: ['li'],
  dt: ['dt', 'dd'],
  dd: ['dt', 'dd'],
  tr: ['tr', 'th', 'td'],
  th: ['th', 'td'],
  td: ['th', 'td'],
  ...Object.fromEntries(['p', 'div', 'ul', 'ol', 'dl', 'table', 'pre', 'blockquote'].map((name) => [name, ['p']])),
};
/** A new line before or after these, in plain text. */
const BLOCKS = new Set(['br', 'p', 'div', 'li', 'tr']);

export function escapeHtml(text: string): string {
  return /[&<>]/.test(text) ? text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;') : text;
}

/** Reduces any HTML to plain HTML: allowed elements, no attributes, well formed. Idempotent. */
export function sanitiseHtml(html: string): string {
  if (!/[<&>]/.test(html)) return html;
  const { out, isUnwrapped } = reduce(html);
  // An element that went away may have kept others from closing each other (`<td><x><td>`): once more without it.
  return isUnwrapped ? reduce(out).out : out;
}

function reduce(html: string): { readonly out: string; readonly isUnwrapped: boolean } {
  let out = '';
  let isUnwrapped = false;
  const open: string[] = [];
  let dropping: string | null = null;
  let droppedDepth = 0;
  let link: { readonly href: string; readonly from: number } | null = null;
  const close = (name: string): void => {
    const at = open.lastIndexOf(name);
    if (at < 0) return;
    for (const inner of open.splice(at).reverse()) out += `</${inner}>`;
  };
  const parser = new Parser(
    {
      onopentag(name, attributes) {
        if (dropping !== null) {
          if (name === dropping) droppedDepth++;
        } else if (DROPPED.has(name)) {
          dropping = name;
          droppedDepth = 1;
        } else if (name === 'br') out += '<br/>';
        else if (KEPT.has(name) && open.length < MAX_DEPTH) {
          for (let top = open.at(-1); top !== undefined && ENDS[name]?.includes(top) === true; top = open.at(-1))
            close(top);
          open.push(name);
          out += `<${name}>`;
        } else {
          isUnwrapped = true;
          if (name === 'a') link = { href: attributes['href'] ?? '', from: out.length };
        }
      },
      ontext(text) {
        if (dropping === null) out += escapeHtml(text);
      },
      onclosetag(name, implied) {
        if (dropping !== null) {
          if (name === dropping && --droppedDepth === 0) dropping = null;
        } else if (name === 'a' && link !== null) {
          if (/^https?:\/\//i.test(link.href) && !out.slice(link.from).includes(escapeHtml(link.href)))
            out += escapeHtml(` (${link.href})`);
          link = null;
        } else if (name !== 'br' || !implied) close(name);
      },
    },
    { decodeEntities: true, lowerCaseTags: true, recognizeCDATA: false, recognizeSelfClosing: true },
  );
  parser.end(html);
  for (const name of open.reverse()) out += `</${name}>`;
  return { out, isUnwrapped };
}

/** Bytes that one UTF-16 unit of plain text becomes at most: `&amp;`, `<br/>`. */
export const LONGEST_AS_HTML = 5;

/** Plain text as HTML: escaped, line breaks as `<br/>`. */
export function plainToHtml(text: string): string {
  return escapeHtml(text).replace(/\r\n|\r|\n/g, '<br/>');
}

/** HTML as plain text: blocks become line breaks, tags go, entities are decoded. */
export function htmlToPlain(html: string): string {
  if (!/[<&]/.test(html)) return html;
  let out = '';
  const lineBreak = (): void => {
    if (out !== '' && !out.endsWith('\n')) out += '\n';
  };
  const parser = new Parser(
    {
      onopentag(name) {
        if (name === 'br') out += '\n';
        else if (BLOCKS.has(name)) lineBreak();
      },
      ontext(text) {
        out += text;
      },
      onclosetag(name) {
        if (name !== 'br' && BLOCKS.has(name)) lineBreak();
      },
    },
    { decodeEntities: true, lowerCaseTags: true, recognizeSelfClosing: true },
  );
  parser.end(html);
  return out.replace(/\n+$/, '');
}
