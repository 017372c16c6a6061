import { escapeHeader } from './escape.ts';
import type { Header, OutFrame, StompVersion } from './frame.ts';

/** TM ST-4: LF only, no padding. */
export const heartBeat = '\n';

export function headerLine([name, value]: Header, version: StompVersion): string {
  return `${escapeHeader(name, version)}:${escapeHeader(value, version)}\n`;
}

/** One whole frame, its NUL included (TM ST-1). CONNECTED knows no escapes, whatever was agreed. */
export function encodeFrame(frame: OutFrame, version: StompVersion): string {
  const rules = frame.command === 'CONNECTED' ? '1.0' : version;
  const head = frame.headers.map((header) => headerLine(header, rules)).join('');
  const { body } = frame;
  if (body === undefined) return `${frame.command}\n${head}\n\0`;
  return `${frame.command}\n${head}content-length:${Buffer.byteLength(body)}\n\n${body}\0`;
}
