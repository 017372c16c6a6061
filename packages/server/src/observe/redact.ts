/**
 * A text in one log line, so that nobody can fill a disk with one request.
 * @peer cut
 * @test observe: a line stays short
 */
export const MAX_TEXT = 512;
/**
 * Members and items in one log line.
 * @peer cut
 * @test observe: a line stays short
 */
export const MAX_ITEMS = 32;
/**
 * Nesting in one log line.
 * @peer cut
 * @test observe: a line stays short
 */
export const MAX_DEPTH = 4;
/**
 * Frames of a stack: enough to find the place.
 * @peer cut
 * @test observe: a line stays short
 */
const MAX_STACK_LINES = 12;

/** Members that hold secrets or what people wrote to each other, in any spelling. */
const SECRET =
  /pass(word|code|phrase)?$|^pw$|secret|authorization|cookie|digest|token|credential|(^|[^a-z])key$|[a-z]Key$|^nonce$|totp/i;
const WRITTEN = /^(body|html|text|payload|question|subject|note|data|attach|content)$/i;
const APPLICATION_SESSION = /^apex_?session$/i;
const NUMBER = /^(number|phone|caller|callee|own|e164|to_?number|from_?number|source|destination)$/i;

export interface RedactOptions {
  /** Show only the last two digits of telephone numbers. */
  readonly maskNumbers: boolean;
}

/** A copy that may be logged: without secrets and chat text, and bounded in every direction. */
export function redacted(fields: Readonly<Record<string, unknown>>, options: RedactOptions): Record<string, unknown> {
  return members(fields, options, 0);
}

function members(value: object, options: RedactOptions, depth: number): Record<string, unknown> {
  const all = Object.entries(value);
  const kept = all.slice(0, MAX_ITEMS).map(([name, v]) => [cut(name), member(name, v, options, depth)] as const);
  return Object.fromEntries(all.length > MAX_ITEMS ? [...kept, ['…', all.length - MAX_ITEMS]] : kept);
}

function member(name: string, value: unknown, options: RedactOptions, depth: number): unknown {
  if (value === undefined || value === null || typeof value === 'boolean') return value;
  if (SECRET.test(name)) return '[secret]';
  if (WRITTEN.test(name)) return '[not logged]';
  if (typeof value === 'string' && APPLICATION_SESSION.test(name)) return `${value.slice(0, 4)}…`;
  if (typeof value === 'string' && options.maskNumbers && NUMBER.test(name)) return `…${value.slice(-2)}`;
  return plain(value, options, depth + 1);
}

function plain(value: unknown, options: RedactOptions, depth: number): unknown {
  if (typeof value === 'string') return cut(withoutCredentials(value));
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Error) return described(value, options, depth);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (typeof value !== 'object') return `[${typeof value}]`;
  if (depth >= MAX_DEPTH) return '[…]';
  if (!Array.isArray(value)) return members(value, options, depth);
  const items = value.slice(0, MAX_ITEMS).map((item) => plain(item, options, depth + 1));
  return value.length > MAX_ITEMS ? [...items, `… ${value.length - MAX_ITEMS} more`] : items;
}

function described(error: Error, options: RedactOptions, depth: number): Record<string, unknown> {
  const code =
    'code' in error && (typeof error.code === 'string' || typeof error.code === 'number') ? error.code : null;
  const frames = (error.stack ?? '').split('\n').filter((line) => line.trimStart().startsWith('at '));
  return {
    name: cut(error.name),
    message: cut(withoutCredentials(error.message)),
    ...(code === null ? {} : { code }),
    stack: frames.slice(0, MAX_STACK_LINES).map((line) => cut(line.trim())),
    ...(error.cause === undefined || depth >= MAX_DEPTH ? {} : { cause: plain(error.cause, options, depth + 1) }),
  };
}

/** `postgres://user:password@host` → `postgres://…@host`, and `Basic …`, `Bearer …` without what follows. */
function withoutCredentials(text: string): string {
  return text
    .slice(0, MAX_TEXT * 4)
    .replaceAll(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi, '$1…@')
    .replaceAll(/\b(basic|bearer|digest)\s+[\w+/=.~-]{6,}/gi, '$1 …');
}

function cut(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}…`;
}
