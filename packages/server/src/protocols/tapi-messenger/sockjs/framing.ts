import { quoteText } from './frames.ts';
import { htmlfilePrelude, streamingPrelude } from './pages.ts';
import type { SessionTransport } from './routes.ts';

/** How a receiving transport writes SockJS frames into its response (TM §2.5). */
export interface Framing {
  readonly kind: 'polling' | 'streaming';
  readonly contentType: string;
  /** First chunk of a streaming response; does not count towards the response limit. */
  readonly prelude: string;
  wrap(frame: string): string;
}

export type ReceivingTransport = Extract<
  SessionTransport,
  'xhr' | 'xhr_streaming' | 'eventsource' | 'htmlfile' | 'jsonp'
>;

const script = 'application/javascript; charset=UTF-8';

const line = (frame: string): string => `${frame}\n`;

/** A literal that stays inside its script element, whatever the text. */
const scriptText = (frame: string): string => quoteText(frame).replaceAll('<', '\\u003c');

/** `callback` matters to htmlfile and jsonp alone. */
export function framingOf(transport: ReceivingTransport, callback: string): Framing {
  switch (transport) {
    case 'xhr':
      return { kind: 'polling', contentType: script, prelude: '', wrap: line };
    case 'xhr_streaming':
      return { kind: 'streaming', contentType: script, prelude: streamingPrelude, wrap: line };
    case 'eventsource':
      return { kind: 'streaming', contentType: 'text/event-stream', prelude: '\r\n', wrap: eventOf };
    case 'htmlfile':
      return {
        kind: 'streaming',
        contentType: 'text/html; charset=UTF-8',
        prelude: htmlfilePrelude(callback),
        wrap: (frame) => `<script>\np(${scriptText(frame)});\n</script>\r\n`,
      };
    case 'jsonp':
      return {
        kind: 'polling',
        contentType: script,
        prelude: '',
        wrap: (frame) => `/**/${callback}(${scriptText(frame)});\r\n`,
      };
  }
}

/** Frames are JSON and hold no line ends; the rule stands for the day that one does. */
function eventOf(frame: string): string {
  const text = /[\r\n\0]/.test(frame) ? frame.replace(/[\r\n\0]/g, encodeURIComponent) : frame;
  return `data: ${text}\r\n\r\n`;
}

export type CallbackCheck =
  | { readonly ok: true; readonly callback: string }
  | { readonly ok: false; readonly reason: '"callback" parameter required' | 'invalid "callback" parameter' };

/** TM SJ-40. */
export function callbackOf(query: string): CallbackCheck {
  const parameters = new URLSearchParams(query);
  const callback = parameters.get('c') ?? parameters.get('callback');
  if (callback === null || callback === '') return { ok: false, reason: '"callback" parameter required' };
  if (/[^a-zA-Z0-9\-_.]/.test(callback) || callback.length > 32)
    return { ok: false, reason: 'invalid "callback" parameter' };
  return { ok: true, callback };
}
