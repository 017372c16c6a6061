import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { htmlToPlain, plainToHtml, sanitiseHtml } from './plain-html.ts';
import { scaled } from '../../../../../test/kit/scale.ts';

describe('PBX §3.5: plain HTML', () => {
  test.each([
    ['<p onclick="x()" style="color:red">Hi <B class=k>you</B><br></p>', '<p>Hi <b>you</b><br/></p>'],
    ['<img src=x onerror=alert(1)>ok', 'ok'],
    ['<a href="https://e.test/a">doc</a>', 'doc (https://e.test/a)'],
    ['<a href="https://e.test/a">https://e.test/a</a>', 'https://e.test/a'],
    ['<a href="javascript:alert(1)">doc</a>', 'doc'],
    ['2 &lt; 3 & 4', '2 &lt; 3 &amp; 4'],
    ['<span><font>x</font></span>', 'x'],
    ['<h1>T</h1><label>l</label>', 'Tl'],
    ['<style>b{}</style><title>t</title>x<textarea>y</textarea>', 'x'],
    ['<svg><b>no</b><svg></svg></svg>yes', 'yes'],
    ['<!-- c --><!DOCTYPE html><?pi?><b>x', '<b>x</b>'],
    ['<b><i>x</b>y', '<b><i>x</i></b>y'],
    ['<p><a href="http://x">y<p>z', '<p>y</p><p>z</p> (http://x)'],
    ['<ul><li><span>one<li>two', '<ul><li>one</li><li>two</li></ul>'],
    ['a<br>b<br/>c', 'a<br/>b<br/>c'],
    ['<UL><LI>one<LI>two</UL>', '<ul><li>one</li><li>two</li></ul>'],
    ['plain', 'plain'],
    ['😀 <blink>é</blink>', '😀 é'],
  ])('%s', (html, plain) => {
    expect(sanitiseHtml(html)).toBe(plain);
  });

  test('a script that is put together by taking tags out', () => {
    expect(sanitiseHtml('<scr<script>ipt>1</script>')).not.toMatch(/<script/i);
  });

  test('nesting is bounded', () => {
    const out = sanitiseHtml('<b>'.repeat(10_000) + 'x');
    expect(out.match(/<b>/g)).toHaveLength(64);
    expect(out).toContain('x');
  });

  test('whatever comes in, only allowed elements without attributes come out, and once more changes nothing', () => {
    const piece = fc.constantFrom(
      '<b>',
      '</b>',
      '<p x=1>',
      '<script>',
      '</script>',
      '<a href="http://x">',
      '&amp;',
      '<',
      '>',
      '"',
      'text',
      '<!--',
      '-->',
      '<br>',
      '<td>',
      '&#60;',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 20 }), (pieces) => {
        const once = sanitiseHtml(pieces.join(''));
        for (const [tag] of once.matchAll(/<[^>]*>/g)) expect(tag).toMatch(/^<\/?[a-z]+>$|^<br\/>$/);
        expect(once).not.toMatch(/<\/?(script|a)\b/);
        expect(sanitiseHtml(once)).toBe(once);
      }),
      { numRuns: scaled({ verify: 5_000, soak: 100_000 }) },
    );
  });
});

test.each([
  ['a & b <c>\r\nd', 'a &amp; b &lt;c&gt;<br/>d'],
  ['', ''],
])('plain to HTML: %j', (plain, html) => {
  expect(plainToHtml(plain)).toBe(html);
});

test.each([
  ['a<br/>b', 'a\nb'],
  ['<p>one</p><p>two</p>', 'one\ntwo'],
  ['<ul><li>x</li><li>y</li></ul>', 'x\ny'],
  ['2 &lt; 3 &amp; 4', '2 < 3 & 4'],
  ['<b>bold</b> text', 'bold text'],
])('HTML to plain: %s', (html, plain) => {
  expect(htmlToPlain(html)).toBe(plain);
});

test('text survives the way to HTML and back', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const normal = text.replace(/\r\n|\r/g, '\n').replace(/\n+$/, '');
      expect(htmlToPlain(plainToHtml(normal))).toBe(normal);
    }),
    { numRuns: 500 },
  );
});
