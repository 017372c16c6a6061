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
let proxy: TransactionLayer;
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
  proxy = layerOn(
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

  test("timer C is a branch's own: a phone that began to ring later rings on", async () => {
    await answer('b', 180);
    await clock.pass(20_000, 500);
    await answer('c', 180);
    await clock.pass(162_000, 1_000);
    expect(cancels()).toEqual(['proxy > b CANCEL']);
    await answer('c', 200);
    expect(caller.statuses.at(-1)).toBe(200);
  });

  test('a phone that rang and vanished: the caller gets its answer, and nothing is left', async () => {
    await answer('b', 180);
    await answer('c', 486);
    phones[0]!.isBroken = true;
    context.cancel();
    await clock.pass(33_000, 500);
    expect(caller.statuses).toEqual([180, 408]);
    await clock.pass(70_000, 500);
    expect([wheel.size, proxy.counts]).toMatchObject([0, { clients: 0, servers: 0 }]);
  });

  test('a target that is found after the CANCEL is not called', async () => {
    const before = network.sent.length;
    context.cancel();
    context.send(atPhone.b[0]!.request, phones[0]!.to({ address: addresses.c, port: 5060 }));
    await clock.pass(20, 5);
    expect(network.lines(names, before).filter((line) => line.includes('INVITE'))).toEqual([]);
  });

  test('RFC 3261 16.7 step 7: the challenges of all are passed on, and go before other refusals', async () => {
    for (const phone of ['b', 'c'] as const) {
      const { transaction, request, layer } = atPhone[phone][0]!;
      const response = layer.reply(request, phone === 'b' ? 401 : 407);
      response.headers.add(phone === 'b' ? 'WWW-Authenticate' : 'Proxy-Authenticate', `Digest realm="${phone}"`);
      transaction.respond(response);
    }
    await clock.pass(20, 5);
    const last = network.sent.filter(({ to }) => to === '10.0.0.1:5060').at(-1)?.text ?? '';
    expect(last).toMatch(/^SIP\/2.0 401 /);
    expect(last).toContain('WWW-Authenticate: Digest realm="b"');
    expect(last).toContain('Proxy-Authenticate: Digest realm="c"');
  });

  test('a challenge goes before a 404: it is what the caller can do something about', async () => {
    await answer('b', 404);
    await answer('c', 407);
    expect(caller.statuses).toEqual([407]);
  });
});
