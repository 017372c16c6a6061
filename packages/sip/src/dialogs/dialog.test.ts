import { describe, expect, test } from 'vitest';
import {
  Headers,
  makeRequest,
  makeResponse,
  parseMessage,
  parseUri,
  type SipRequest,
  type SipResponse,
} from '../messages/index.ts';
import {
  confirmedBy,
  dialogByRequest,
  dialogByResponse,
  dialogId,
  dialogIdOfRequest,
  idOf,
  dialogRoute,
  takeRequest,
} from './dialog.ts';
import { DialogTable } from './dialog-table.ts';
import { ackOf2xx, nextRequest } from './in-dialog.ts';

function request(lines: readonly string[], start = 'INVITE sip:bob@b.test'): SipRequest {
  const text = [
    `${start} SIP/2.0`,
    'Via: SIP/2.0/UDP a.test;branch=z9hG4bK1',
    'From: "Ann" <sip:ann@a.test>;tag=ta',
    'To: <sip:bob@b.test>',
    'Call-ID: c1',
    'CSeq: 7 INVITE',
    ...lines,
    '',
    '',
  ].join('\r\n');
  const parsed = parseMessage(Buffer.from(text));
  if (parsed.kind !== 'request') throw new Error('bad request');
  return parsed;
}

function ok(to: SipRequest, lines: readonly [string, string][], status = 200): SipResponse {
  const response = makeResponse(to, status);
  response.headers.set('To', '<sip:bob@b.test>;tag=tb');
  for (const [name, value] of lines) response.headers.add(name, value);
  return response;
}

describe('creation (RFC 3261 12.1)', () => {
  const invite = request(['Contact: <sip:ann@10.0.0.1:5070>', 'Record-Route: <sip:p2;lr>, <sip:p1;lr>']);

  test('the server keeps Record-Route in order, the client reverses it', () => {
    const server = dialogByRequest(invite, 'tb');
    expect(server.routeSet).toEqual(['<sip:p2;lr>', '<sip:p1;lr>']);
    expect([server.remoteSeq, server.localSeq, server.remoteTarget.toString()]).toEqual([
      7,
      0,
      'sip:ann@10.0.0.1:5070',
    ]);
    const client = dialogByResponse(
      invite,
      ok(invite, [
        ['Contact', '<sip:bob@10.0.0.2>'],
        ['Record-Route', '<sip:p2;lr>, <sip:p1;lr>'],
      ]),
    );
    expect(client.routeSet).toEqual(['<sip:p1;lr>', '<sip:p2;lr>']);
    expect([client.remoteSeq, client.localSeq, client.remoteTarget.toString()]).toEqual([
      undefined,
      7,
      'sip:bob@10.0.0.2',
    ]);
    expect(idOf(client)).toBe(dialogId('c1', 'ta', 'tb'));
    expect(idOf(server)).toBe(dialogId('c1', 'tb', 'ta'));
  });

  test('a 2xx renews the route set of an early dialog', () => {
    const early = dialogByResponse(invite, ok(invite, [['Contact', '<sip:bob@10.0.0.2>']], 180));
    const confirmed = confirmedBy(
      early,
      ok(invite, [
        ['Contact', '<sip:bob@10.0.0.9>'],
        ['Record-Route', '<sip:p1;lr>'],
      ]),
    );
    expect([confirmed.routeSet, confirmed.remoteTarget.toString()]).toEqual([['<sip:p1;lr>'], 'sip:bob@10.0.0.9']);
  });

  test('without a Contact there is no dialog', () => {
    expect(() => dialogByRequest(request([]), 'tb')).toThrow(/Contact/);
    expect(() => dialogByResponse(invite, ok(invite, []))).toThrow(/Contact/);
    expect(dialogByResponse(invite, ok(invite, [], 180)).remoteTarget.toString()).toBe('sip:bob@b.test');
  });
});

describe('requests in a dialog (RFC 3261 12.2)', () => {
  const dialog = dialogByRequest(request(['Contact: <sip:ann@10.0.0.1>', 'Record-Route: <sip:p1;lr>']), 'tb');

  test('ours: From and To swapped, CSeq counted, loose routes', () => {
    const first = nextRequest(dialog, 'BYE');
    const { request: bye } = nextRequest(first.dialog, 'INFO');
    expect(first.request.headers.get('CSeq')).toBe('1 BYE');
    expect(bye.headers.get('CSeq')).toBe('2 INFO');
    expect([bye.uri.toString(), bye.headers.getAll('Route')]).toEqual(['sip:ann@10.0.0.1', ['<sip:p1;lr>']]);
    expect([bye.headers.get('From'), bye.headers.get('To')]).toEqual([
      '<sip:bob@b.test>;tag=tb',
      '"Ann" <sip:ann@a.test>;tag=ta',
    ]);
    expect(ackOf2xx(first.dialog, 9).request.headers.get('CSeq')).toBe('9 ACK');
  });

  test('a strict router gets the Request-URI (12.2.1.1)', () => {
    const strict = { ...dialog, routeSet: ['<sip:old.test>', '<sip:p1;lr>'] };
    expect(dialogRoute(strict)).toMatchObject({ route: ['<sip:p1;lr>', '<sip:ann@10.0.0.1>'] });
    expect(dialogRoute(strict).requestUri.toString()).toBe('sip:old.test');
  });

  test.each([
    [6, 'INVITE', false, ''],
    [7, 'INFO', true, 'sip:ann@10.0.0.1'],
    [8, 'UPDATE', true, 'sip:ann@10.0.0.7'],
    [8, 'INFO', true, 'sip:ann@10.0.0.1'],
    [90, 'INVITE', true, 'sip:ann@10.0.0.7'],
  ])('theirs: CSeq %s %s', (seq, method, isTaken, target) => {
    const next = request(['Contact: <sip:ann@10.0.0.7>'], `${method} sip:bob@b.test`.replace(/^\S+/, 'INVITE'));
    next.headers.set('CSeq', `${seq} ${method}`);
    const taken = takeRequest(dialog, { ...next, method });
    expect(taken.isTaken).toBe(isTaken);
    if (taken.isTaken) {
      expect(taken.dialog.remoteTarget.toString()).toBe(target);
      expect(taken.dialog.remoteSeq).toBe(seq);
    }
  });

  test('found by our tag in To', () => {
    const bye = nextRequest(dialogByResponse(request([]), ok(request([]), [['Contact', '<sip:bob@10.0.0.2>']])), 'BYE');
    expect(dialogIdOfRequest(bye.request)).toBe(idOf(dialog));
  });
});

test('the table is bounded', () => {
  const table = new DialogTable<object>(2);
  const one = {};
  table.add('1', one);
  table.add('2', {});
  table.add('1', one);
  expect(() => table.add('3', {})).toThrow(/2 dialogs/);
  table.remove('1', {});
  expect(table.size).toBe(2);
  table.remove('1', one);
  expect(table.size).toBe(1);
});

test('a route may bear a name with brackets', () => {
  const route = '"<x" <sip:p.example;lr>';
  const headers = new Headers([
    ['Record-Route', route],
    ['From', '<sip:a@a>;tag=1'],
    ['To', '<sip:b@b>'],
    ['Call-ID', 'x'],
    ['CSeq', '1 INVITE'],
    ['Contact', '<sip:a@10.0.0.1>'],
  ]);
  const invite = makeRequest({ method: 'INVITE', uri: parseUri('sip:b@b'), headers });
  const { nextHop, route: kept } = dialogRoute(dialogByRequest(invite, 't'));
  expect([nextHop.toString(), kept]).toEqual(['sip:p.example;lr', [route]]);
});
