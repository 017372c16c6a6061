/** What people write between digits: space, no-break space, tab, hyphen, dot, parentheses, slash (TM AP-25). */
const SEPARATORS = /[ \u00A0\t\-.()/]/g;
const CANONICAL = /^\+?[0-9*#]{1,32}$/;
/**
 * Longer texts are not looked at: no number with separators is as long.
 * @peer 400 `invalid-number`
 * @test calls/limits: ids and keys
 */
const MAX_TEXT = 256;

/**
 * The canonical form of a telephone number, or undefined where the text is none (TM AP-25). Nothing but separators is removed:
 * no country rules, leading zeros stay. `canonicalNumber(' (06) 06-41.37 ')` is `'06064137'`.
 */
export function canonicalNumber(text: string): string | undefined {
  if (text.length > MAX_TEXT) return undefined;
  const number = text.trim().replace(SEPARATORS, '');
  return CANONICAL.test(number) ? number : undefined;
}
