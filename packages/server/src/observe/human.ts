import { parseJsonObject } from '../kit/index.ts';

/** `09:10:11 warn  appws.login-failed address=127.0.0.1 account=bob`, for the demo and for eyes. */
export function humanLine(line: string): string {
  const entry = parseJsonObject(line);
  if (entry === undefined) return line;
  const { time, level, event, ...fields } = entry;
  const clock = typeof time === 'string' ? time.slice(11, 19) : '';
  const parts = Object.entries(fields).map(([name, value]) => `${name}=${shown(value)}`);
  return `${[clock, plain(level).padEnd(5), plain(event), ...parts].join(' ')}\n`;
}

function plain(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function shown(value: unknown): string {
  if (typeof value === 'string') return /^[\w.:@/+…-]+$/.test(value) ? value : JSON.stringify(value);
  if (typeof value === 'object' && value !== null && 'message' in value) return JSON.stringify(value.message);
  return JSON.stringify(value);
}
