import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as pathOf } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bus, connectBus } from '../../packages/server/src/adapters/bus-nats/index.ts';
import type { Batch } from '../../packages/server/src/core/index.ts';
import { userStream, type UserId } from '../../packages/server/src/core/journal/index.ts';
import { randomIds, systemClock } from '../../packages/server/src/kit/index.ts';
import { NatsServer } from '../kit/nats-server.ts';
import { describeWithPeers } from '../kit/peer.ts';
import { until } from '../kit/wait.ts';
import { bellContract } from './bell.ts';
import { peersContract } from './peers.ts';

const log = { info: () => undefined, warn: () => undefined };

describeWithPeers(['nats-server'], 'NATS', () => {
  let nats: NatsServer;
  beforeAll(async () => {
    nats = await NatsServer.start();
  });
  afterAll(async () => {
    await nats.kill();
  });
  const join = (cluster: string): Promise<Bus> =>
    connectBus({ url: nats.url, cluster, clock: systemClock, ids: randomIds, log });

  bellContract('NATS, three nodes', async () => {
    const cluster = randomIds.label(8);
    const buses = await Promise.all([join(cluster), join(cluster), join(cluster)]);
    return {
      bells: buses.map((bus) => bus.bell),
      close: async () => void (await Promise.all(buses.map((bus) => bus.close()))),
    };
  });

  peersContract('NATS', async () => {
    const cluster = randomIds.label(8);
    const buses: Bus[] = [];
    return {
      async join() {
        const bus = await join(cluster);
        buses.push(bus);
        return bus.peers;
      },
      close: async () => void (await Promise.all(buses.map((bus) => bus.close()))),
    };
  });

  test('credentials of the URL, TLS, and what is said where NATS does not let us in', async () => {
    const folder = mkdtempSync(pathOf(tmpdir(), 'tieline-nats-'));
    const [cert, key] = [pathOf(folder, 'cert.pem'), pathOf(folder, 'key.pem')];
    const subject = ['-subj', '/CN=nats', '-addext', 'subjectAltName=DNS:localhost'];
    const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-keyout', key];
    execFileSync('openssl', ['req', '-x509', ...made, '-out', cert, ...subject], { stdio: 'ignore' });
    const guarded = ['--user', 'me', '--pass', 's3cret', '--tls', '--tlscert', cert, '--tlskey', key];
    await using server = await NatsServer.start(...guarded);
    const connectTo = (url: string, ca: string | null): Promise<Bus> =>
      connectBus({ url, tls: { ca, cert: null, key: null }, clock: systemClock, ids: randomIds, log });
    const bus = await connectTo(`tls://me:s3cret@localhost:${server.port}`, cert);
    expect(bus.isConnected).toBe(true);
    await bus.close();
    const refused = { code: 'bus-unavailable', message: expect.not.stringContaining('wrong') as string };
    await expect(connectTo(`tls://me:wrong@localhost:${server.port}`, cert)).rejects.toMatchObject(refused);
    await expect(connectTo(`tls://me:s3cret@localhost:${server.port}`, null)).rejects.toMatchObject(refused);
    rmSync(folder, { recursive: true });
  });

  const entry = (position: number, body = ''): Batch['entries'][number] => ({
    position,
    stream: userStream('a'.repeat(32) as UserId),
    event: { kind: 'directory', what: 'user', id: body },
  });

  test("what ends after the bus has closed is nobody's trouble", async () => {
    const cluster = randomIds.label(8);
    const [a, b] = await Promise.all([join(cluster), join(cluster)]);
    const { promise, resolve } = Promise.withResolvers<string>();
    let isAsked = false;
    b.peers.answer('slow', () => {
      isAsked = true;
      return promise;
    });
    await until(() => a.peers.others.has(b.peers.self));
    const asked = a.peers.ask(b.peers.self, 'slow', null, 5_000).catch((error: unknown) => error);
    await until(() => isAsked);
    await b.close();
    resolve('too late');
    expect(await asked).toMatchObject({ code: 'peer-down' });
    const heard: Batch[] = [];
    b.bell.batches.add((batch) => heard.push(batch));
    b.bell.ring({ first: 1, last: 1, entries: [entry(1)] });
    expect(heard).toHaveLength(1);
    await a.close();
  });

  test('a listener that fails does not make its node deaf', async () => {
    const cluster = randomIds.label(8);
    const failures: string[] = [];
    const warn = (event: string) => void failures.push(event);
    const parts = { url: nats.url, cluster, clock: systemClock, ids: randomIds, log: { ...log, warn } };
    const [one, other] = [await join(cluster), await connectBus(parts)];
    const heard: number[] = [];
    other.bell.batches.add(({ first }) => {
      heard.push(first);
      throw new Error('a defect');
    });
    await until(() => one.peers.others.has(other.peers.self), 'the other node');
    const entry = {
      position: 1,
      stream: userStream('u' as UserId),
      event: { kind: 'directory', what: 'users', id: '' },
    };
    for (const first of [1, 2])
      one.bell.ring({ first, last: first, entries: [{ ...entry, position: first }] } as Batch);
    await until(() => heard.length === 2, 'both batches');
    expect([heard, failures, other.isConnected]).toEqual([[1, 2], ['bus.news-failed', 'bus.news-failed'], true]);
    for (const bus of [one, other]) await bus.close();
  });

  test('a batch that is larger than a message of NATS goes in pieces', async () => {
    const cluster = randomIds.label(8);
    const [a, b] = await Promise.all([join(cluster), join(cluster)]);
    const heard: Batch[] = [];
    b.bell.batches.add((batch) => heard.push(batch));
    const entries = Array.from({ length: 100 }, (_, i) => entry(i + 1, 'ä'.repeat(30_000)));
    await until(() => {
      a.bell.ring({ first: 1, last: 100, entries });
      return heard.some((batch) => batch.last === 100);
    });
    const whole = heard.slice(heard.findIndex((batch) => batch.first === 1));
    expect(whole.length).toBeGreaterThan(5);
    expect(
      whole
        .flatMap((batch) => batch.entries)
        .slice(0, 100)
        .map(({ position }) => position),
    ).toEqual(entries.map(({ position }) => position));
    await Promise.all([a.close(), b.close()]);
  });

  test(
    'NATS is killed and comes back: bells and requests work again, nobody was declared gone',
    { timeout: 60_000 },
    async () => {
      const cluster = randomIds.label(8);
      const [a, b] = await Promise.all([join(cluster), join(cluster)]);
      await until(() => a.peers.others.has(b.peers.self) && b.peers.others.has(a.peers.self));
      b.peers.answer('echo', async (input) => input);
      const gone: string[] = [];
      a.peers.down.add((node) => gone.push(node));
      const heard: Batch[] = [];
      b.bell.batches.add((batch) => heard.push(batch));
      await nats.kill();
      await until(() => !a.isConnected && !b.isConnected, 'the loss to be noticed');
      await expect(a.peers.ask(b.peers.self, 'echo', 1, 1_000)).rejects.toMatchObject({ code: 'peer-down' });
      a.bell.ring({ first: 1, last: 1, entries: [entry(1)] });
      await nats.start();
      await until(() => a.isConnected && b.isConnected, 'the return');
      expect(await a.peers.ask(b.peers.self, 'echo', { back: true }, 5_000)).toEqual({ back: true });
      await until(() => {
        a.bell.ring({ first: 2, last: 2, entries: [entry(2)] });
        return heard.some((batch) => batch.first === 2);
      });
      expect(heard.some((batch) => batch.first === 1)).toBe(false);
      expect(gone).toEqual([]);
      await Promise.all([a.close(), b.close()]);
    },
  );

  test('a node that dies without a word is noticed', { timeout: 20_000 }, async () => {
    const cluster = randomIds.label(8);
    const [a, b] = await Promise.all([join(cluster), join(cluster)]);
    await until(() => a.peers.others.has(b.peers.self));
    const gone: string[] = [];
    a.peers.down.add((node) => gone.push(node));
    const frozen = await connectBus({
      url: nats.url,
      cluster,
      clock: { now: () => systemClock.now(), after: () => ({ cancel: () => undefined }) },
      ids: randomIds,
      log,
    });
    const { self } = frozen.peers;
    await until(() => a.peers.others.has(self));
    await until(() => gone.includes(self), 'the silent node to be given up');
    expect(a.peers.others.has(b.peers.self)).toBe(true);
    await Promise.all([a.close(), b.close(), frozen.close()]);
  });

  test('without NATS nothing starts', async () => {
    await expect(connectBus({ url: 'nats://127.0.0.1:1', clock: systemClock, ids: randomIds, log })).rejects.toThrow();
  });
});
