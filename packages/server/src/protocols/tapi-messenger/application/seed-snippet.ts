import type { Frame } from '../stomp/index.ts';
import { CALL } from './destinations.ts';

/** A JSON text of a dial is shorter. */
const MAX_CHARS = 128;

/**
 * COMPAT(the page of the seed document with stomp-websocket 2.3.3): `send('/tapi/call', JSON)` without headers sends the JSON as
 * one header per character, named by its index, and no destination (TM AP-24). Returns the frame that was meant, or the same.
 */
export function understandSnippet(frame: Frame): Frame {
  if (frame.command !== 'SEND' || frame.headers.has('destination') || !frame.headers.has('0')) return frame;
  let text = '';
  for (let i = 0; i < MAX_CHARS; i++) {
    const character = frame.headers.get(String(i));
    if (character === undefined) break;
    if (Array.from(character).length !== 1) return frame;
    text += character;
  }
  if (!/^\{.*"toNumb?er"/.test(text)) return frame;
  const headers = new Map([...frame.headers].filter(([name]) => !/^\d+$/.test(name)));
  return { command: 'SEND', headers: headers.set('destination', CALL), body: Buffer.from(text) };
}
