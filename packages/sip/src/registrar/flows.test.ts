import { describe, expect, test } from 'vitest';
import { settle } from '../../test/fake-clock.ts';
import {
  BOB,
  FakeConnection,
  UDP,
  ask,
  bound,
  changes,
  clock,
  contactsOf,
  location,
  open,
  registrar,
} from '../../test/registrar-stand.ts';
import type { Asked } from '../../test/registrar-stand.ts';
import { MemoryLocation, isReachable, routeOf } from '../location/index.ts';
import type { Binding } from '../location/index.ts';
import { FlowTokens } from './flow-token.ts';

describe('flows: RFC 3327, RFC 5626', () => {
  test('trap 2: a phone on a connection is reached over it, and gone with it', async () => {
    const connection = new FakeConnection('c1');
    for (let i = 0; i < 3; i++) await ask({ contacts: ['<sip:bob@10.0.0.1:33333;transport=tcp>'] }, connection.flow);
    await ask({ contacts: ['<sip:bob@192.0.2.9>'], callId: 'desk' });
    expect(connection.listenerCount).toBe(1);
    const [one] = (await registrar.find(BOB)).filter((binding) => binding.contact.includes('33333'));
    expect(routeOf(one as Binding).flow?.connection).toBe(connection);
    connection.close();
    expect(isReachable(one as Binding)).toBe(false);
    expect(await bound()).toEqual(['sip:bob@192.0.2.9']);
    await settle();
    expect(location.size).toBe(1);
    expect(changes.at(-1)).toBe(`connection ${BOB} 1`);
  });

  test('a location that is slow to forget does not lead to a dead connection', async () => {
    const slow = new MemoryLocation({ now: () => clock.now() });
    slow.dropConnection = () => Promise.resolve([]);
    open({ location: slow });
    const connection = new FakeConnection('c1');
    await ask({ contacts: ['<sip:bob@10.0.0.1;transport=tcp>'] }, connection.flow);
    connection.close();
    expect(slow.size).toBe(1);
    expect(await bound()).toEqual([]);
  });

  test('a connection that ended while its REGISTER was looked at leaves nothing', async () => {
    const connection = new FakeConnection('c1');
    connection.close();
    await ask({ contacts: ['<sip:bob@10.0.0.1;transport=tcp>'] }, connection.flow);
    await settle();
    expect(location.size).toBe(0);
  });

  test('by UDP the way back is the address it came from, whatever Contact says', async () => {
    await ask({ contacts: ['<sip:bob@10.0.0.1:5062>'] });
    const [binding] = await registrar.find(BOB);
    expect(routeOf(binding as Binding).flow?.remote).toEqual(UDP.remote);
  });

  test('Path is kept, answered and used; then there is no flow of our own', async () => {
    const response = await ask({
      contacts: ['<sip:bob@10.0.0.1>'],
      more: [
        ['Supported', 'path'],
        ['Path', '<sip:p1;lr>, <sip:tok@p2;lr;ob>'],
      ],
      vias: 2,
    });
    expect(response.headers.list('Path')).toEqual(['<sip:p1;lr>', '<sip:tok@p2;lr;ob>']);
    const [binding] = await registrar.find(BOB);
    const route = routeOf(binding as Binding);
    expect([route.flow, route.route.map(String), String(route.requestUri)]).toEqual([
      undefined,
      ['<sip:p1;lr>', '<sip:tok@p2;lr;ob>'],
      'sip:bob@10.0.0.1',
    ]);
  });

  test('RFC 3608: the way out is told', async () => {
    open({ serviceRoute: ['<sip:out1;lr>', '<sip:out2;lr>'] });
    const response = await ask({ contacts: ['<sip:a@b>'] });
    expect(response.headers.serviceRoute.map(String)).toEqual(['<sip:out1;lr>', '<sip:out2;lr>']);
  });

  test('RFC 5626 6: a flow of a device is replaced by its reg-id, two flows stand side by side', async () => {
    open({ flowTimerS: 90 });
    const flowOf = (n: number, regId: number): Asked => ({
      contacts: [`<sip:bob@10.0.0.${n}>;+sip.instance="<urn:uuid:1>";reg-id=${regId}`],
      more: [['Supported', 'path, outbound']],
      callId: `call${n}`,
    });
    const response = await ask(flowOf(1, 1));
    expect([response.headers.get('Require'), response.headers.get('Flow-Timer')]).toEqual(['outbound', '90']);
    expect(contactsOf(response)[0]).toContain('+sip.instance="<urn:uuid:1>";reg-id=1');
    await ask(flowOf(2, 2));
    expect(await bound()).toHaveLength(2);
    await ask(flowOf(3, 1));
    expect((await bound()).toSorted()).toEqual(['sip:bob@10.0.0.2', 'sip:bob@10.0.0.3']);
    // Behind a proxy that supports it.
    expect(
      (
        await ask({
          ...flowOf(4, 2),
          vias: 2,
          more: [
            ['Supported', 'path, outbound'],
            ['Path', '<sip:t@edge;lr;ob>'],
          ],
        })
      ).status,
    ).toBe(200);
    // Without support it is an ordinary contact.
    const plain = await ask({ ...flowOf(5, 1), more: [] });
    expect(plain.headers.has('Require')).toBe(false);
    expect(await bound()).toHaveLength(3);
  });

  test('flow tokens (RFC 5626 5.2): not made up, not outliving their connection', () => {
    const connection = new FakeConnection('abc-1');
    const tokens = new FlowTokens({
      flowOf: (id) => (id === 'abc-1' && connection.isOpen ? connection.flow : undefined),
    });
    const token = tokens.write(connection.flow);
    expect(token).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(tokens.read(token)?.connection).toBe(connection);
    expect(tokens.read(tokens.write(UDP))).toEqual(UDP);
    for (const bad of ['', 'AAAA', `${token}A`, token.slice(1), tokens.write(UDP).replace(/.$/, 'x')])
      expect(tokens.read(bad), bad).toBeUndefined();
    expect(new FlowTokens({ flowOf: () => connection.flow }).read(token)).toBeUndefined();
    connection.close();
    expect(tokens.read(token)).toBeUndefined();
  });
});
