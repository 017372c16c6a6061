/** A JSON object as it came: members unknown until looked at. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** One AppWebsocket message (AW §2). */
export interface Envelope {
  readonly mt: string;
  /** Which API; undefined for absent, `""` and `null`, which all mean "no api". */
  readonly api: string | undefined;
  /** Correlation value, opaque, echoed unchanged, also if the peer sent a number. */
  readonly src: unknown;
  /** The whole message. */
  readonly message: JsonObject;
}

/** True for JSON objects; arrays and `null` are none. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Text of a value that should be a string; absent and `null` count as `""`, a number as its digits (AW §3.2, §3.3). */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' ? String(value) : '';
}

/** The object that a JSON text is; undefined for every other text. Never throws. */
export function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/**
 * Parses a message. Undefined: not a JSON object, or no string `mt` (AW §2 rule 6). Never throws. A `src` that is an
 * object or array counts as absent: echoing one that nests deep would cost recursion.
 */
export function parseEnvelope(text: string): Envelope | undefined {
  const message = parseObject(text);
  if (message === undefined) return undefined;
  const { mt, api, src } = message;
  if (typeof mt !== 'string') return undefined;
  const isOpaque = typeof src === 'object' && src !== null;
  return { mt, api: typeof api === 'string' && api !== '' ? api : undefined, src: isOpaque ? undefined : src, message };
}

/** Answers must not be answered: neither results nor the `Error` that one known service sends (AW §2 rule 5). */
export function isAnswer(mt: string): boolean {
  return mt.endsWith('Result') || mt === 'Error';
}

/** Text of an answer: `api` repeated, `src` echoed if there was one (AW §2 rules 2 and 3). */
export function answerText(request: Envelope, members: JsonObject = {}): string {
  return followText(request, `${request.mt}Result`, members);
}

/** Text of an answer or indication with any `mt` that belongs to a request. */
export function followText(request: Envelope, mt: string, members: JsonObject = {}): string {
  const { api, src } = request;
  return JSON.stringify({
    ...(api === undefined ? {} : { api }),
    mt,
    ...(src === undefined ? {} : { src }),
    ...members,
  });
}

/** The refusal of a request nobody takes; undefined where silence is the rule (AW §2 rule 5). */
export function refusalText(request: Envelope, error: 'not allowed' | 'unknown message'): string | undefined {
  if (request.api === undefined || isAnswer(request.mt)) return undefined;
  return answerText(request, { error });
}

/** Length in UTF-8 bytes, without encoding. A lone surrogate counts three, as it is replaced by U+FFFD. */
export function utf8Length(text: string): number {
  let bytes = 0;
  for (let i = 0; i < text.length; i++) {
    const point = text.codePointAt(i) as number;
    if (point > 0xffff) i++;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point > 0xffff ? 4 : 3;
  }
  return bytes;
}

/** True if the text has more UTF-8 bytes than `limit`; counts only where the length leaves a doubt. */
export function exceedsBytes(text: string, limit: number): boolean {
  if (text.length > limit) return true;
  return text.length * 3 > limit && utf8Length(text) > limit;
}
