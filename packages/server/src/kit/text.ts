/**
 * Every store and every surface keeps this text as it is: it has no U+0000, which PostgreSQL can't hold, and no half of a
 * surrogate pair, which UTF-8 can't.
 */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

/** The text with U+FFFD in the place of what can't be stored, as HTML has it. */
export function storable(text: string): string {
  return isStorable(text) ? text : text.toWellFormed().replaceAll('\0', '\ufffd');
}
