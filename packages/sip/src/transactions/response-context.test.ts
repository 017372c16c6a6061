import { beforeEach, describe, expect, test } from 'vitest';
import { FakeClock } from '../../test/fake-clock.ts';
import { FakeNetwork, type FakeHost } from '../../test/fake-network.ts';
import { TimerWheel } from '../clock/index.ts';
import { randomIds } from '../ids/index.ts';
import { Headers, makeRequest, parseUri } from '../messages/index.ts';
import type { SipRequest } from '../messages/index.ts';
import { TransactionLayer } from './layer.ts';
import { ResponseContext } from './response-context.ts';
import type { ServerTransaction } from './server-transaction.ts';

const names = { '10.0.0.1': 'caller', '10.0.0.2': 'proxy', '10.0.0.3': 'b', '10.0.0.4': 'c' };
const addresses = { b: '10.0.0.3', c: '10.0.0.4' };

let clock: FakeClock;
let network: FakeNetwork;
let caller: { layer: TransactionLayer; host: FakeHost; statuses: number[] };
let wheel: TimerWheel;
let phones: FakeHost[];
let context: ResponseContext;
/** What came to each phone. */
let atPhone: Record<'b' | 'c', { transaction: ServerTransaction; request: SipRequest; layer: TransactionLayer }[]>;

function layerOn(
  host: FakeHost,
  onRequest: (t: ServerTransaction, r: SipRequest) => void,
  at?: TimerWheel,
): TransactionLayer {
  const user = { onRequest, onAck: () => undefined };
  return new TransactionLayer({ transport: host, clock: at ?? new TimerWheel(clock), ids: randomIds(), user });
}

beforeEach(async () => {
  clock = new FakeClock();
  network = new FakeNetwork(clock);
  const host = network.host('10.0.0.1');
  caller = { host, layer: layerOn(host, () => undefined), statuses: [] };
  atPhone = { b: [], c: [] };
  phones = [];
  for (const name of ['b', 'c'] as const) {
    const phone = network.host(addresses[name]);
    phones.push(phone);
    const layer: TransactionLayer = layerOn(phone, (transaction, request) => {
      if (request.method === 'CANCEL') transaction.respond(layer.reply(request, 200));
      atPhone[name].push({ transaction, request, layer });
    });
  }
  const proxyHost = network.host('10.0.0.2');
  wheel = new TimerWheel(clock);
  const proxy = layerOn(
    proxyHost,
    (transaction, request) => {
      context = new ResponseContext({ layer: proxy, clock: wheel }, transaction, request, 2);
      for (const address of Object.values(addresses)) {
        const copy = makeRequest({ ...request, headers: request.headers.clone() });
        context.send(copy, proxyHost.to({ address, port: 5060 }));
      }
    },
    wheel,
  );
  const headers = new Headers([
    ['Max-Forwards', 70],
    ['From', '<sip:a@10.0.0.1>;tag=ta'],
    ['To', '<sip:b@10.0.0.2>'],
    ['Call-ID', 'x'],
    ['CSeq', '1 INVITE'],
  ]);
  caller.layer.request(
    makeRequest({ method: 'INVITE', uri: parseUri('sip:b@10.0.0.2'), headers }),
    host.to({ address: '10.0.0.2', port: 5060 }),
    { onResponse: ({ status }) => caller.statuses.push(status), onFailure: (cause) => expect.unreachable(cause) },
  );
  await clock.pass(20, 5);
});

function answer(phone: 'b' | 'c', status: number): Promise<void> {
  const { transaction, request, layer } = atPhone[phone][0]!;
  transaction.respond(layer.reply(request, status));
  return clock.pass(20, 5);
}

const cancels = (): string[] => network.lines(names).filter((line) => /proxy > . CANCEL/.test(line));

describe('the response context of a forking proxy (RFC 3261 16.7)', () => {
  test('the best of all refusals is passed on, when the last one came', async () => {
    await answer('b', 486);
    expect(caller.statuses).toEqual([]);
    await answer('c', 404);
    expect(caller.statuses).toEqual([404]);
  });

  test('provisional responses and the first 200 pass at once; the other phone is cancelled', async () => {
    await answer('b', 180);
    await answer('c', 183);
    await answer('b', 200);
    expect(caller.statuses).toEqual([180, 183, 200]);
    expect(cancels()).toEqual(['proxy > c CANCEL']);
    await answer('c', 487);
    expect(caller.statuses).toEqual([180, 183, 200]);
  });

  test('a 200 of the other one that crosses the CANCEL is passed on too', async () => {
    await answer('b', 200);
    await answer('c', 200);
    expect(caller.statuses).toEqual([200, 200]);
  });

  test('a 6xx ends the others and goes before all', async () => {
    await answer('c', 180);
    await answer('b', 603);
    expect(cancels()).toEqual(['proxy > c CANCEL']);
    await answer('c', 487);
    expect(caller.statuses).toEqual([180, 603]);
  });

  test('a 503 becomes a 500', async () => {
    await answer('b', 503);
    await answer('c', 503);
    expect(caller.statuses).toEqual([500]);
  });

  test('a CANCEL waits for a phone that has not rung yet', async () => {
    await answer('b', 180);
    context.cancel();
    await clock.pass(20, 5);
    expect(cancels()).toEqual(['proxy > b CANCEL']);
    await answer('c', 180);
    expect(cancels()).toEqual(['proxy > b CANCEL', 'proxy > c CANCEL']);
  });

  test('timer C: phones that ring for three minutes are cancelled', async () => {
    await answer('b', 180);
    await answer('c', 180);
    await clock.pass(180_000, 1_000);
    expect(cancels()).toEqual([]);
    await clock.pass(2_000, 100);
    expect(cancels()).toEqual(['proxy > b CANCEL', 'proxy > c CANCEL']);
  });

  test('phones that are silent: 408 after 32 s, and nothing is left', async () => {
    for (const host of phones) host.isBroken = true;
    await clock.pass(110_000, 500);
    expect(caller.statuses.filter((s) => s >= 200)).toEqual([408]);
    expect(wheel.size).toBe(0);
  });
});
