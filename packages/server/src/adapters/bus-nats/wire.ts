import { isJsonObject, type Json, type JsonObject, parseJsonObject, Problem } from '../../kit/index.ts';

/** A request as it goes over the bus. */
export interface Request {
  readonly kind: string;
  readonly from: string;
  readonly input: Json;
}

export function encodeRequest(request: Request): string {
  return JSON.stringify(request);
}

/** Undefined: no request of ours. */
export function decodeRequest(text: string): Request | undefined {
  const { kind, from, input = null } = parseJsonObject(text) ?? {};
  return typeof kind === 'string' && typeof from === 'string' ? { kind, from, input } : undefined;
}

export function encodeAnswer(output: Json): string {
  return JSON.stringify({ output });
}

/** A problem travels with its code; what is none stays where it happened. */
export function encodeProblem(error: unknown): string {
  const problem = error instanceof Problem ? error : new Problem('failure', 'The node has failed.');
  const { code, message, retry, subject, retryAfterMs } = problem;
  return JSON.stringify({ problem: { code, message, retry, subject, retryAfterMs } });
}

/** @throws the Problem that the other node answered with */
export function decodeAnswer(text: string): Json {
  const answer = parseJsonObject(text) ?? {};
  if (isJsonObject(answer['problem'])) throw problemFrom(answer['problem']);
  return answer['output'] ?? null;
}

function problemFrom({ code, message, retry, subject, retryAfterMs }: JsonObject): Problem {
  const [name, text] = [code, message].map((member) => (typeof member === 'string' ? member : 'failure'));
  return new Problem(name ?? 'failure', text ?? 'failure', {
    retry: retry === true,
    ...(typeof subject === 'string' ? { subject } : {}),
    ...(typeof retryAfterMs === 'number' ? { retryAfterMs } : {}),
  });
}
