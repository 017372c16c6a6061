import { type Expression, sql, type SqlBool } from 'kysely';
import { containing, searchable } from './codec.ts';
import { searchTooComplex } from './problems.ts';

/**
 * Words of one search: each costs a walk through every text looked at.
 * @peer 400 `search-too-complex`
 * @test store-history: every word must occur
 */
const MAX_WORDS = 16;
/**
 * Characters of one search.
 * @peer 400 `search-too-complex`
 * @test store-history: every word must occur
 */
const MAX_SEARCH_LENGTH = 500;

/** The words that must all occur, in lower case. @throws search-too-complex */
export function wordsOf(keywords: string): readonly string[] {
  if (keywords.length > MAX_SEARCH_LENGTH) throw searchTooComplex();
  const words = searchable(keywords)
    .split(/\s+/)
    .filter((word) => word !== '');
  if (words.length > MAX_WORDS) throw searchTooComplex();
  return words;
}

/** `text` (in lower case already) contains `part` as it is written. */
export function contains(text: Expression<string | null>, part: string): Expression<SqlBool> {
  return sql<SqlBool>`${text} like ${containing(part)} escape '\\'`;
}
