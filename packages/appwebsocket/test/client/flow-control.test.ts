import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { until } from '../../../../test/kit/wait.ts';
import type { Report, Role } from './flow-process.ts';
import { openResources } from '../service/kit.ts';
import { connect, listen, opened, ScriptedPeer } from './kit.ts';

const MIB = 1024 * 1024;
/** Three processes share what the machine has left. */
const PATIENCE_MS = 60_000;
vi.setConfig({ testTimeout: 2 * PATIENCE_MS });

/** A process of flow-process.ts and what it has told. */
class End {
  readonly process: ChildProcess;
  told: Report = {};

  constructor(role: Role, url = '') {
    const script = fileURLToPath(new URL('flow-process.ts', import.meta.url));
    const execArgv = ['--conditions=source', '--expose-gc', '--disable-warning=ExperimentalWarning'];
    this.process = fork(script, [role, url], { execArgv });
    this.process.on('message', (report) => (this.told = { ...this.told, ...(report as Report) }));
  }

  async ask(): Promise<Report> {
    this.told = { ...this.told, residentBytes: undefined as never };
    this.process.send('report');
    await until(() => this.told.residentBytes, 'report', PATIENCE_MS);
    return this.told;
  }

  get grownMiB(): number {
    return ((this.told.residentBytes ?? 0) - (this.told.idleBytes ?? 0)) / MIB;
  }
}

let ends: End[] = [];
afterEach(() => {
  for (const end of ends) end.process.kill();
  ends = [];
});

/** Both ends in their own processes; the sender has begun. */
async function started(
  sends: Role,
  receives: Role,
  orders: readonly string[] = [],
): Promise<{ sender: End; receiver: End }> {
  const service = new End(sends.startsWith('service') ? sends : receives);
  ends.push(service);
  const url = await until(() => service.told.url, 'service', PATIENCE_MS);
  const client = new End(sends.startsWith('client') ? sends : receives, url);
  ends.push(client);
  const [sender, receiver] = sends.startsWith('service') ? [service, client] : [client, service];
  await until(() => service.told.idleBytes !== undefined && client.told.idleBytes !== undefined, 'login', PATIENCE_MS);
  for (const order of [...orders, 'go']) sender.process.send(order);
  return { sender, receiver };
}

/** Resolves when the sender has not moved for `STILL` reports in a row. */
async function blocked(sends: Role, holds: Role): Promise<{ sender: End; receiver: End }> {
  const { sender, receiver } = await started(sends, holds);
  const STILL = 20;
  let last = -1;
  let still = 0;
  await until(
    async () => {
      const { count } = await sender.ask();
      still = count === last && count > 0 ? still + 1 : 0;
      last = count ?? 0;
      return still >= STILL;
    },
    'the sender blocks',
    PATIENCE_MS,
  );
  await receiver.ask();
  return { sender, receiver };
}

describe('1 GiB waits for a receiver that never completes', () => {
  const table: readonly (readonly [string, Role, Role])[] = [
    ['service to client with setFlowControl(true)', 'service-sends', 'client-holds'],
    ['client to a service whose handler never ends', 'client-sends', 'service-holds'],
  ];
  test.each(table)('%s: the sender blocks, both ends stay within 16 MiB of idle', async (_name, sends, holds) => {
    const { sender, receiver } = await blocked(sends, holds);
    console.log(
      `${sends}: ${sender.told.count ?? 0} of 16384 messages left; grown: sender ${sender.grownMiB.toFixed(1)} MiB, receiver ${receiver.grownMiB.toFixed(1)} MiB`,
    );
    expect(sender.told.count).toBeLessThan(16_384 / 8);
    expect(receiver.told.count).toBe(1);
    expect(sender.grownMiB).toBeLessThan(16);
    expect(receiver.grownMiB).toBeLessThan(16);
  });

  test('messageComplete lets it flow again', async () => {
    const { sender, receiver } = await blocked('service-sends', 'client-holds');
    const { count: before = 0 } = sender.told;
    receiver.process.send('complete');
    await until(async () => ((await sender.ask()).count ?? 0) > 2 * before, 'the sender goes on', PATIENCE_MS);
    await receiver.ask();
    expect(receiver.told.count).toBeGreaterThan(before / 2);
  });
});

test.each([
  ['client-sends', 'service-takes'],
  ['service-sends', 'client-takes'],
] as const)('%s and awaits drained only: the rest of its program still has its turns', async (sends, takes) => {
  const { sender, receiver } = await started(sends, takes, ['count turns']);
  await until(async () => ((await sender.ask()).count ?? 0) > 1_000, 'the sender is at it', PATIENCE_MS);
  const { count = 0, turns = 0 } = sender.told;
  // One turn every 256 KiB, which are four messages, is certain; half of it is asked for.
  expect(turns).toBeGreaterThan(count / 8);
  await receiver.ask();
  expect(receiver.told.count).toBeGreaterThan(0);
});

describe('setFlowControl', () => {
  test('one message until messageComplete, in order, none lost', async () => {
    await using peer = await ScriptedPeer.start();
    await using conn = connect(peer);
    await opened(conn);
    const seen: number[] = [];
    conn.onmessage((_conn, _text, message) => seen.push(message['n'] as number)).setFlowControl(true);
    for (let n = 0; n < 100; n++) peer.sockets[0]!.send({ mt: 'N', n });
    for (let n = 1; n <= 50; n++) {
      await until(() => seen.length === n, `message ${n}`);
      conn.messageComplete();
    }
    await until(() => seen.length === 51, 'message 51');
    conn.setFlowControl(false);
    await until(() => seen.length === 100, 'all');
    expect(seen).toEqual(Array.from({ length: 100 }, (_, n) => n));
  });

  test('messageComplete inside onmessage, and completing too often, do no harm', async () => {
    await using peer = await ScriptedPeer.start();
    await using conn = connect(peer);
    await opened(conn);
    const seen: number[] = [];
    conn.setFlowControl(true).onmessage((c, _text, message) => {
      seen.push(message['n'] as number);
      c.messageComplete().messageComplete();
    });
    for (let n = 0; n < 1_000; n++) peer.sockets[0]!.send({ mt: 'N', n });
    await until(() => seen.length === 1_000, 'all');
    expect(seen).toEqual(Array.from({ length: 1_000 }, (_, n) => n));
  });

  test('close ends a connection that is held back, and what was held is not delivered', async () => {
    await using peer = await ScriptedPeer.start();
    const conn = connect(peer).setFlowControl(true);
    const told = listen(conn);
    await until(() => told.events.includes('open'), 'open');
    for (let n = 0; n < 10; n++) peer.sockets[0]!.send({ mt: 'N', n });
    await until(() => told.texts.length === 1, 'one message');
    conn.close();
    expect(await told.closed).toBeUndefined();
    expect(told.texts).toHaveLength(1);
    expect((await until(() => peer.sockets[0]!.closed, 'closed')).code).toBe(1000);
  });

  test('close ends a connection whose peer has gone while messages were held back', async () => {
    const sockets = (): number => openResources()['TCPSocketWrap'] ?? 0;
    await using peer = await ScriptedPeer.start();
    const before = sockets();
    const conn = connect(peer, { keepAliveMs: 5 }).setFlowControl(true);
    const told = listen(conn);
    await until(() => told.events.includes('open'), 'open');
    for (let n = 0; n < 10; n++) peer.sockets[0]!.send({ mt: 'N', n });
    await until(() => told.texts.length === 1, 'one message');
    peer.sockets[0]!.socket.terminate();
    await until(() => sockets() <= before, 'both sockets are gone');
    expect(told.events).toEqual(['open']);
    conn.close();
    expect(await told.closed).toMatchObject({ code: 'connection-lost' });
    expect(told.texts).toHaveLength(1);
  });

  test('a silent peer is not taken for dead while reading is held back', async () => {
    await using peer = await ScriptedPeer.start({}, ({ socket }) => (socket.pong = () => undefined));
    const conn = connect(peer, { keepAliveMs: 5, deadAfterMs: 40 }).setFlowControl(true);
    const told = listen(conn);
    await until(() => told.events.includes('open'), 'open');
    peer.sockets[0]!.send({ mt: 'One' });
    await until(() => told.texts.length === 1, 'one message');
    // More than the time to be dead passes: twenty KeepAlives go out.
    await until(() => peer.sockets[0]!.received.filter(({ mt }) => mt === 'KeepAlive').length >= 20, 'KeepAlives');
    expect(told.events).toEqual(['open']);
    conn.close();
    await told.closed;
  });
});
