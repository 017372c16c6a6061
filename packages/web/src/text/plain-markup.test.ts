import fc from 'fast-check';
import { expect, test } from 'vitest';
import { allowedPieces, KEPT, MAX_DEPTH, MAX_ELEMENTS, type Piece } from './plain-markup.ts';

/** The tree as markup again, texts escaped: what would stand in the page. */
function shown(pieces: readonly Piece[]): string {
  return pieces
    .map((piece) =>
      typeof piece === 'string'
        ? piece.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
        : `<${piece.tag}>${shown(piece.pieces)}</${piece.tag}>`,
    )
    .join('');
}

test.each([
  ['plain', 'plain'],
  ['<b>bold</b> <i>it</i>', '<b>bold</b> <i>it</i>'],
  ['one<br/>two<BR>three', 'one<br></br>two<br></br>three'],
  ['<ul><li>1</li><li>2</li></ul>', '<ul><li>1</li><li>2</li></ul>'],
  ['<b onclick="x(1 > 0)" style=\'a\'>x</b>', '<b>x</b>'],
  ['<a href="javascript:x">link</a>', 'link'],
  ['<script>alert("</b>")</script>after', 'after'],
  ['<SCRIPT src=x></SCRIPT >after', 'after'],
  ['<svg><svg><b>in</b></svg>in</svg>out', 'out'],
  ['<svg/>out', 'out'],
  ['<style>never closed', ''],
  ['<!-- <b>no</b> -->yes<!DOCTYPE x><?php ?>', 'yes'],
  ['<!-- never closed <b>', ''],
  ['<b>open', '<b>open</b>'],
  ['<b><i>crossed</b> after</i>', '<b><i>crossed</i></b> after'],
  ['</b>stray', 'stray'],
  ['a < b & c', 'a &lt; b &amp; c'],
  [
    '&lt;b&gt; &amp;amp; &#65;&#x42; &nosuch; &#0; &#9999999;',
    '&lt;b> &amp;amp; AB &amp;nosuch; &amp;#0; &amp;#9999999;',
  ],
  ['<img src=x onerror=alert(1)>', ''],
  ['<b title=">">x</b>', '<b>x</b>'],
  ['<b', '&lt;b'],
])('%s', (html, plain) => {
  expect(shown(allowedPieces(html))).toBe(plain);
});

function depthOf(pieces: readonly Piece[]): number {
  return Math.max(0, ...pieces.map((piece) => (typeof piece === 'string' ? 0 : 1 + depthOf(piece.pieces))));
}

test('nesting and number of elements are bounded, the text stays', () => {
  const deep = allowedPieces(`${'<div>'.repeat(10_000)}end`);
  expect(depthOf(deep)).toBe(MAX_DEPTH);
  expect(shown(deep)).toContain('end');
  expect(allowedPieces('<b>x</b>'.repeat(MAX_ELEMENTS + 5)).filter((piece) => typeof piece !== 'string')).toHaveLength(
    MAX_ELEMENTS,
  );
});

test('whatever is sent, only kept elements come out', () => {
  const tags = ['b', 'script', 'svg', 'img', 'br', 'a', 'style', 'p'];
  const part = fc.oneof(
    fc.constantFrom(...tags.flatMap((tag) => [`<${tag}>`, `</${tag}>`, `<${tag} x="`, `<${tag} y='>'`])),
    fc.constantFrom('<!--', '-->', '<', '>', '"', "'", '&', '&lt;', 'text'),
    fc.string(),
  );
  const check = (pieces: readonly Piece[]): boolean =>
    pieces.every(
      (piece) => typeof piece === 'string' || piece.tag === 'br' || (KEPT.has(piece.tag) && check(piece.pieces)),
    );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 60 }), (parts) => check(allowedPieces(parts.join('')))),
    { numRuns: 2_000 },
  );
});
