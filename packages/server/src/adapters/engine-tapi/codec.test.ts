import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { scaled, seedOf } from '../../../../../test/kit/scale.ts';
import { encodeFrame, FrameReader, MAX_PAYLOAD_BYTES } from './codec.ts';
import { parseMessage } from './messages.ts';

describe('TM §5.1: frames', () => {
  test.each([
    ['LISTEN,734', '0a0000004c495354454e2c373334'],
    ['STOPLISTEN,734', '0e00000053544f504c495354454e2c373334'],
    ['CALL,734,606413737', '1200000043414c4c2c3733342c363036343133373337'],
    ['NEWCALL,0606413737,734', '160000004e455743414c4c2c303630363431333733372c373334'],
    ['NEWCALL,,734', '0c0000004e455743414c4c2c2c373334'],
  ])('%s', (payload, hex) => {
    expect(encodeFrame(payload, 'len32le').toString('hex')).toBe(hex);
    expect(new FrameReader('len32le').push(Buffer.from(hex, 'hex')).payloads).toEqual([payload]);
  });

  test('octet by octet, and everything at once', () => {
    const bytes = Buffer.concat(['OK', 'NEWCALL,1,2', 'ERROR,x'].map((text) => encodeFrame(text, 'len32le')));
    const reader = new FrameReader('len32le');
    expect([...bytes].flatMap((octet) => reader.push(Buffer.from([octet])).payloads)).toEqual([
      'OK',
      'NEWCALL,1,2',
      'ERROR,x',
    ]);
    expect(new FrameReader('len32le').push(bytes).payloads).toHaveLength(3);
    expect(reader.buffered).toBe(0);
  });

  test('TC-3: empty frames, trailers, invalid UTF-8, a frame that is too long', () => {
    const reader = new FrameReader('len32le');
    expect(reader.push(Buffer.from('00000000', 'hex')).payloads).toEqual([]);
    expect(reader.push(encodeFrame('OK\r\n\0', 'len32le')).payloads).toEqual(['OK']);
    expect(reader.push(Buffer.from('02000000ff41', 'hex')).payloads).toEqual(['\u{FFFD}A']);
    expect(reader.push(Buffer.from('00000100', 'hex'))).toEqual({ payloads: [], violation: 'frame too long' });
    expect(reader.push(encodeFrame('OK', 'len32le')).payloads).toEqual([]);
  });

  test('TM §5.6: lines, and the framing that the peer begins with', () => {
    expect(new FrameReader('line').push(Buffer.from('OK\r\nNEWCALL,1,2\nER')).payloads).toEqual(['OK', 'NEWCALL,1,2']);
    const lines = new FrameReader('len32le', { detect: true });
    expect(lines.push(Buffer.from('NEWCALL,1,2\n')).payloads).toEqual(['NEWCALL,1,2']);
    const lengths = new FrameReader('line', { detect: true });
    expect(lengths.push(encodeFrame('OK', 'len32le')).payloads).toEqual(['OK']);
    const endless = new FrameReader('line');
    expect(endless.push(Buffer.alloc(MAX_PAYLOAD_BYTES + 1, 0x41)).violation).toBe('frame too long');
  });

  test('any segmentation of any frames gives the same payloads; garbage never throws', () => {
    const seed = seedOf('engine-tapi codec');
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[A-Z]{1,8}(,[0-9a-z]{0,9}){0,4}$/), { maxLength: 9 }),
        fc.array(fc.nat(9)),
        (payloads, cuts) => {
          const bytes = Buffer.concat(payloads.map((text) => encodeFrame(text, 'len32le')));
          const reader = new FrameReader('len32le');
          const got: string[] = [];
          let at = 0;
          for (const cut of [...cuts, bytes.length]) {
            got.push(...reader.push(bytes.subarray(at, at + cut)).payloads);
            at = Math.min(bytes.length, at + cut);
          }
          got.push(...reader.push(bytes.subarray(at)).payloads);
          expect(got).toEqual(payloads);
        },
      ),
      { seed, numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.boolean(), (bytes, detect) => {
        const reader = new FrameReader(detect ? 'line' : 'len32le', { detect });
        for (const payload of reader.push(Buffer.from(bytes)).payloads) parseMessage(payload);
        expect(reader.buffered).toBeLessThanOrEqual(60);
      }),
      { seed, numRuns: scaled({ verify: 50_000, soak: 1_000_000 }) },
    );
  });
});

test.each([
  ['NEWCALL,0606413737,734', { kind: 'new-call', caller: '0606413737', own: '734' }],
  ['NEWCALL,,734,more', { kind: 'new-call', caller: '', own: '734' }],
  ['NEWCALL,734', { kind: 'malformed', name: 'NEWCALL' }],
  ['newcall,1,2', { kind: 'unknown', name: 'newcall' }],
  ['OK,LISTEN,734', { kind: 'ok', fields: ['LISTEN', '734'] }],
  ['ERROR,BUSY', { kind: 'error', fields: ['BUSY'] }],
  ['HELLO,2,sim', { kind: 'hello', product: 'sim' }],
  ['HELLO,3,sim', { kind: 'unknown', name: 'HELLO' }],
  ['CALLSTATE,7,RINGING,1,2', { kind: 'call-state', callId: '7', state: 'RINGING', caller: '1', own: '2' }],
  ['CALLSTATE,7,DANCING,1,2', { kind: 'malformed', name: 'CALLSTATE' }],
  ['', { kind: 'unknown', name: '' }],
])('TC-4: %j', (payload, message) => {
  expect(parseMessage(payload)).toEqual(message);
});
