import { describe, expect, test } from 'vitest';
import { until } from '../../../../test/kit/wait.ts';
import type { JsonApiConnection } from '../../src/service/json-api.ts';
import { JsonApi } from '../../src/service/json-api.ts';
import type { PbxApiConnection } from '../../src/service/pbx-api.ts';
import { PbxApi } from '../../src/service/pbx-api.ts';
import { infoOfObject, loggedIn, TestService } from './kit.ts';

const API = 'com.acme.hello';
const APP = { app: 'tool', domain: 'example.com', sip: 'tool-obj', info: infoOfObject('tool-obj') };

describe('flow control of the objects of a socket', () => {
  /** Both objects of one connection, what they saw, and the peer. */
  async function twoObjects() {
    const seen: string[] = [];
    const objects: (PbxApiConnection | JsonApiConnection)[] = [];
    const add = (conn: PbxApiConnection | JsonApiConnection): void => {
      objects.push(conn.onmessage((_text, { mt }) => void seen.push(String(mt))));
    };
    const tested = await TestService.start({}, (service) =>
      service.use(new PbxApi('PbxApi').onconnected(add)).use(new JsonApi(API).onconnected(add)),
    );
    const peer = await loggedIn(tested.url, APP);
    peer.send({ mt: 'PbxInfo', domain: 'example.com', pbx: 'master', apis: ['PbxApi'] });
    peer.send({ api: API, mt: 'First' });
    await until(() => seen.length === 1);
    return { seen, pbx: objects[0]!, json: objects[1]!, tested, peer };
  }

  test('one that holds, holds back the whole socket, until messageComplete', async () => {
    const { seen, pbx, tested, peer } = await twoObjects();
    await using _ = tested;
    pbx.setFlowControl(true);
    peer.send({ api: 'PbxApi', mt: 'P1' });
    for (const mt of ['J1', 'J2']) peer.send({ api: API, mt });
    peer.send({ api: 'PbxApi', mt: 'P2' });
    await until(() => seen.length === 2);
    pbx.messageComplete();
    await until(() => seen.length === 5);
    expect(seen).toEqual(['First', 'P1', 'J1', 'J2', 'P2']);
    pbx.setFlowControl(false);
    peer.send({ api: API, mt: 'J3' });
    await until(() => seen.length === 6);
    peer.socket.terminate();
  });

  test('a receiver that never completes makes the sender’s socket wait', async () => {
    const { seen, json, tested, peer } = await twoObjects();
    await using _ = tested;
    json.setFlowControl(true);
    const text = JSON.stringify({ api: API, mt: 'Big', data: 'x'.repeat(64 * 1024) });
    // Far more than the kernel's buffers take.
    for (let i = 0; i < 600; i++) peer.socket.send(text);
    await until(() => peer.socket.bufferedAmount > 16 * 1024 * 1024, 'a sender that waits');
    await until(() => seen.length === 2);
    expect(seen).toEqual(['First', 'Big']);
    json.setFlowControl(false);
    await until(() => seen.length === 601);
    expect(peer.socket.bufferedAmount).toBe(0);
    peer.socket.terminate();
  });

  test('a promise of onmessage holds until it settles, also when it rejects', async () => {
    const { seen, json, tested, peer } = await twoObjects();
    await using _ = tested;
    const waiting: ((error?: Error) => void)[] = [];
    json.onmessage((_text, { mt }) => {
      seen.push(String(mt));
      return new Promise((resolve, reject) =>
        waiting.push((error) => (error === undefined ? resolve() : reject(error))),
      );
    });
    for (const mt of ['J1', 'J2', 'J3']) peer.send({ api: API, mt });
    await until(() => seen.length === 2);
    waiting.shift()!(new Error('first'));
    await until(() => seen.length === 3);
    waiting.shift()!();
    await until(() => seen.length === 4);
    expect(tested.errors).toEqual([new Error('first')]);
    peer.socket.terminate();
  });

  test('a peer that reads nothing is asked nothing more', async () => {
    let answered = 0;
    const data = 'x'.repeat(32 * 1024);
    await using tested = await TestService.start({}, (service) =>
      service.api(API, {
        Get: () => {
          answered++;
          return { data };
        },
      }),
    );
    using peer = await loggedIn(tested.url);
    peer.socket.pause();
    for (let i = 0; i < 2_000; i++) peer.send({ api: API, mt: 'Get' });
    const [connection] = tested.service.connections;
    await until(() => connection!.bufferedBytes > 256 * 1024, 'a full socket');
    const soFar = answered;
    expect(soFar).toBeLessThan(2_000);
    expect(connection!.bufferedBytes).toBeLessThan(8 * 1024 * 1024);
    peer.socket.resume();
    await until(() => peer.received.length === 2_000, 'all answers');
    await connection!.drained();
    expect(connection!.bufferedBytes).toBe(0);
  });
});
