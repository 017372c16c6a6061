import type { IncomingMessage, ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { MemoryNetwork } from '../../adapters/bus-memory/index.ts';
import { type Membership, type NodeId, openNodeAddresses } from '../../core/cluster/index.ts';
import { Listeners, ManualClock, randomIds } from '../../kit/index.ts';
import { MAX_REMEMBERED_OWNERS, openSessionOwners } from './session-owners.ts';

const request = {} as IncomingMessage;
const response = { destroyed: false, statusCode: 200 } as ServerResponse;

/** Two nodes; `has` says what the other one has, `asked` counts how often it was asked. */
function twoNodes() {
  const clock = new ManualClock();
  const network = new MemoryNetwork(clock, randomIds);
  const [self, other] = [network.join(), network.join()];
  const living = new Set<NodeId>([self.self]);
  const membership: Membership = {
    self: self.self,
    isLive: true,
    living,
    held: new Set(),
    holderOf: () => null,
    seek: () => () => undefined,
    refresh: () => undefined,
    gone: new Listeners<NodeId>(),
    liveness: new Listeners<boolean>(),
    resign: async () => undefined,
    close: async () => undefined,
  };
  const sent: string[] = [];
  const state = { asked: 0, isThere: true, has: true };
  other.answer('sockjs.has', async () => {
    state.asked++;
    return state.has;
  });
  other.answer('cluster.address', async () => 'http://other');
  const owners = openSessionOwners({
    cluster: { peers: self, membership },
    addresses: openNodeAddresses(self),
    forwarder: {
      forward: async (_req, _res, { base }) => {
        sent.push(base);
        return state.isThere ? 'answered' : 'unreachable';
      },
      size: 0,
      drain: () => undefined,
      close: () => undefined,
    },
    http: { isHop: (req) => req !== request },
    clock,
    has: () => false,
  });
  const serve = async (id: string, isReceiving = true): Promise<boolean> =>
    owners.serve(request, response, id, isReceiving);
  return { clock, owners, serve, state, sent, living, other: other.self };
}

test('an owner is remembered while its session is used, and looked for again after that', async () => {
  const { serve, state, clock } = twoNodes();
  for (let i = 0; i < 5; i++) {
    expect(await serve('s', i % 2 === 0)).toBe(true);
    clock.advance(50_000);
  }
  expect(state.asked).toBe(1);
  clock.advance(60_000);
  await serve('s');
  expect(state.asked).toBe(2);
});

test('no more owners are remembered than the bound', async () => {
  const { serve, state } = twoNodes();
  for (let i = 0; i <= MAX_REMEMBERED_OWNERS; i++) await serve(`s${i}`);
  const asked = state.asked;
  await serve(`s${MAX_REMEMBERED_OWNERS}`);
  expect(state.asked).toBe(asked);
  await serve('s0');
  expect(state.asked).toBe(asked + 1);
});

test('a hop is served where it comes to', async () => {
  const { owners, sent } = twoNodes();
  expect(owners.serve({} as IncomingMessage, response, 's', true)).toBe(false);
  expect(sent).toEqual([]);
});

test('an owner that can not be reached: a receiver begins here, a send is told that there is no session', async () => {
  const { serve, state, living, other, sent } = twoNodes();
  living.add(other);
  state.isThere = false;
  expect(await serve('s')).toBe(false);
  expect(await serve('s', false)).toBe(false);
  expect(sent).toEqual(['http://other', 'http://other']);
});
