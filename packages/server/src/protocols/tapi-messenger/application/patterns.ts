/**
 * Segments of a pattern or destination; more are not matched. A `**` costs a step per segment.
 * @peer matches nothing
 * @test topics: a pattern that would make others slow
 */
const MAX_SEGMENTS = 32;
/**
 * Characters of a pattern or destination; more are not matched. A `*` costs a step per character, and a session may have many
 * patterns.
 * @peer matches nothing
 * @test topics: a pattern that would make others slow
 */
const MAX_CHARS = 256;

/**
 * Whether a destination matches an Ant pattern (TM §3.5): `?` one character, `*` any within a segment, `**` any segments.
 * Takes no more steps than the product of the two lengths: a pattern is a peer's to write.
 */
export function matchesPattern(pattern: string, destination: string): boolean {
  if (pattern.length > MAX_CHARS || destination.length > MAX_CHARS) return false;
  const want = pattern.split('/');
  const have = destination.split('/');
  if (want.length > MAX_SEGMENTS || have.length > MAX_SEGMENTS) return false;
  return matchesList(want, have, '**', matchesSegment);
}

function matchesSegment(pattern: string, segment: string): boolean {
  return matchesList(Array.from(pattern), Array.from(segment), '*', (want, have) => want === '?' || want === have);
}

/** Greedy matching that goes back to the last `any` only. */
function matchesList(
  want: readonly string[],
  have: readonly string[],
  any: string,
  isSame: (want: string, have: string) => boolean,
): boolean {
  let w = 0;
  let lastAny = -1;
  let lastHave = 0;
  for (let h = 0; h < have.length;) {
    const next = want[w];
    if (next === any) {
      lastAny = w++;
      lastHave = h;
    } else if (next !== undefined && isSame(next, have[h] ?? '')) {
      w++;
      h++;
    } else if (lastAny >= 0) {
      w = lastAny + 1;
      h = ++lastHave;
    } else return false;
  }
  return want.slice(w).every((rest) => rest === any);
}
