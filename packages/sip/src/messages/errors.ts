/** A header or URI that breaks the grammar. Thrown by typed access to headers and by `parseUri`. */
export class SyntaxFailure extends Error {
  override readonly name = 'SyntaxFailure';
  readonly code = 'syntax';
  /** What was being read: a header name or `uri`. */
  readonly what: string;

  constructor(what: string, why: string) {
    super(`${what}: ${why}`);
    this.what = what;
  }
}

/** A value that must not be written: it holds CR, LF or a bare NUL, or would end the construct that holds it. */
export class UnsafeValue extends Error {
  override readonly name = 'UnsafeValue';
  readonly code = 'unsafe-value';
}

/**
 * Refuses what could smuggle a header or a line into a message (RFC 3261 7.3.1 has no escape for it). NUL may stand in a quoted pair alone
 * (RFC 4475 3.1.1.2).
 */
export function refuseLineBreaks(what: string, value: string): void {
  for (let i = 0; i < value.length; i++) {
    const c = value.charCodeAt(i);
    if (c === 13 || c === 10 || (c === 0 && !isEscapedAt(value, i)))
      throw new UnsafeValue(`${what} holds a line break or NUL`);
  }
}

/** Whether an odd number of backslashes stands before `at`. */
export function isEscapedAt(text: string, at: number): boolean {
  let i = at;
  while (i > 0 && text.charCodeAt(i - 1) === 92) i--;
  return (at - i) % 2 === 1;
}
