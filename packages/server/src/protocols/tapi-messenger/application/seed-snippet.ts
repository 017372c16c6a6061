import type { Frame } from '../stomp/index.ts';
import { CALL, withSlash } from './destinations.ts';

/**
 * A JSON text of a dial is shorter.
 * @peer ERROR
 * @test topics: is understood
 */
const MAX_CHARS = 128;

/**
 * COMPAT(the page of the seed document): `send('/tapi/call', JSON)`, without headers, sends the JSON as one header per character,
 * named by its index; with stomp-websocket 2.3.3 without a destination (TM AP-24), with stompjs 7 with it and without a body.
 * Returns the frame that was meant, or the same.
 */
export function understandSnippet(frame: Frame): Frame {
  const destination = frame.headers.get('destination');
  if (frame.command !== 'SEND' || !frame.headers.has('0') || frame.body.length > 0) return frame;
  if (destination !== undefined && withSlash(destination) !== CALL) return frame;
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
