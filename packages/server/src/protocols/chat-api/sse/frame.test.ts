import { expect, test } from 'vitest';
import { frame, KEEP_ALIVE, retryFrame } from './frame.ts';

/** What a browser makes of a stream (HTML Standard, event stream interpretation). */
function interpret(stream: string): readonly { event: string; data: string; id: string }[] {
  const told: { event: string; data: string; id: string }[] = [];
  let [event, data, id]: [string, string[], string] = ['', [], ''];
  for (const line of stream.split(/\r\n|\r|\n/)) {
    if (line === '') {
      if (data.length > 0) told.push({ event, data: data.join('\n'), id });
      [event, data] = ['', []];
      continue;
    }
    const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === 'event') event = value;
    if (field === 'data') data.push(value);
    if (field === 'id') id = value;
  }
  return told;
}

test.each([
  ['plain', { event: 'chatapi.chat', data: '{"a":1}' }, { event: 'chatapi.chat', data: '{"a":1}', id: '' }],
  ['with its position', { event: 'e', data: 'x', id: 'abc.17' }, { event: 'e', data: 'x', id: 'abc.17' }],
  ['several lines', { event: 'e', data: 'a\nb\r\nc\rd' }, { event: 'e', data: 'a\nb\nc\nd', id: '' }],
  [
    'a field in disguise',
    { event: 'e', data: 'a\nid: 9\nevent: x' },
    { event: 'e', data: 'a\nid: 9\nevent: x', id: '' },
  ],
  ['an empty line in it', { event: 'e', data: 'a\n\nb' }, { event: 'e', data: 'a\n\nb', id: '' }],
  ['leading space', { event: 'e', data: ' a' }, { event: 'e', data: ' a', id: '' }],
  ['beyond ASCII', { event: 'e', data: '🙂\u2028\u0085' }, { event: 'e', data: '🙂\u2028\u0085', id: '' }],
  ['nothing', { event: 'e', data: '' }, { event: 'e', data: '', id: '' }],
])('a frame: %s', (_name, event, told) => {
  expect(interpret(frame(event).text)).toEqual([told]);
});

test('the id stands before the data, and stays for frames without one', () => {
  expect(frame({ event: 'e', data: 'x', id: 'a.1' }).text).toBe('id: a.1\nevent: e\ndata: x\n\n');
  expect(
    interpret(frame({ event: 'e', data: 'x', id: 'a.1' }).text + frame({ event: 'f', data: 'y' }).text)[1]?.id,
  ).toBe('a.1');
});

test('comments and retry tell nothing', () => {
  expect(interpret(KEEP_ALIVE.text + retryFrame(3_000).text + frame({ event: 'e', data: 'x' }).text)).toHaveLength(1);
});
