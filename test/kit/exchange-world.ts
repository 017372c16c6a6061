import { expect } from 'vitest';
import {
  createExchange,
  type Exchange,
  partyOf,
  type CallKind,
  type Cause,
  type ConferenceId,
  type Endpoint,
  type EndpointId,
  type Leg,
  type LegUser,
} from '../../packages/server/src/core/exchange/index.ts';
import type { Draft, Message } from '../../packages/server/src/core/conversations/index.ts';
import type { User } from '../../packages/server/src/core/directory/index.ts';
import type { UserId } from '../../packages/server/src/core/journal/index.ts';
import { ManualClock, randomIds, type Stop } from '../../packages/server/src/kit/index.ts';
import { FlakyNetwork } from './flaky-peers.ts';

export const users = ['alice', 'bob', 'carol'].map((name): User => ({
  id: name as UserId,
  ...{ name, displayName: name, cn: name, number: null, email: null },
  ...{ isAdmin: false, hasStorage: true, isLocked: false, apps: [] },
}));

/** One end of a call as its device knows it. */
export interface End {
  readonly device: Device;
  readonly conference: ConferenceId;
  readonly isCaller: boolean;
  leg: Leg | null;
  phase: 'ringing' | 'connecting' | 'connected' | 'over';
  cause: Cause | null;
}

export class Device implements Endpoint {
  readonly id = randomIds.guid() as EndpointId;
  readonly owner: UserId;
  readonly actor = { kind: 'server' } as const;
  readonly resource = this.id;
  readonly user: User;
  readonly node: Node;
  readonly ends: End[] = [];
  readonly texts: Message[] = [];
  unregister: Stop = () => undefined;

  constructor(user: User, node: Node) {
    this.user = user;
    this.owner = user.id;
    this.node = node;
  }

  takes(): boolean {
    return true;
  }

  offer(leg: Leg): LegUser {
    const end = this.#end(leg.setup.conference, false);
    end.leg = leg;
    return this.#userOf(end);
  }

  call(to: User, isTaken: boolean): void {
    const end = this.#end('' as ConferenceId, true);
    const ask = { kind: 'chat' as CallKind, body: [], caller: partyOf(this.user), isTaken };
    const leg = this.node.exchange.call(this, to, ask, this.#userOf(end));
    Object.assign(end, { leg, conference: leg.setup.conference });
  }

  #end(conference: ConferenceId, isCaller: boolean): End {
    const end: End = { device: this, conference, isCaller, leg: null, phase: 'ringing', cause: null };
    this.ends.push(end);
    return end;
  }

  #userOf(end: End): LegUser {
    const nothing = (): void => undefined;
    return {
      ...{ proceeding: nothing, alerting: nothing, relayed: nothing, chatState: nothing },
      text: (message) => void this.texts.push(message),
      ...{ textFailed: nothing, textTaken: nothing },
      connected: () => (end.phase = 'connected'),
      released(cause) {
        expect(end.phase).not.toBe('over');
        Object.assign(end, { phase: 'over', cause });
      },
    };
  }

  close(): void {
    for (const end of this.ends) this.release(end, 16);
    this.unregister();
  }

  release(end: End, cause: Cause): void {
    if (end.phase === 'over') return;
    end.phase = 'over';
    end.leg?.release(cause, []);
  }
}

export interface Node {
  readonly exchange: Exchange;
  readonly devices: Device[];
  close(): Promise<void>;
}

/** Exchanges of several nodes, their devices and what these are told, on a clock that is moved by hand. */
export class World {
  readonly clock = new ManualClock();
  readonly said: { readonly from: UserId; readonly draft: Draft }[] = [];
  readonly troubles: unknown[] = [];
  readonly network: FlakyNetwork;
  readonly nodes: Node[] = [];

  constructor(random: () => number) {
    this.network = new FlakyNetwork(this.clock, random);
  }

  join(): Node {
    const peers = this.network.join(randomIds.guid());
    const exchange = createExchange({
      conversations: {
        send: (_actor, from, draft) => {
          this.said.push({ from, draft });
          return new Promise(() => undefined);
        },
        typing: () => undefined,
      },
      ...{ peers, clock: this.clock, ids: randomIds, onTrouble: (error: unknown) => void this.troubles.push(error) },
    });
    const node: Node = {
      exchange,
      devices: [],
      async close() {
        await peers.close();
        exchange.close();
        for (const device of node.devices) device.close();
      },
    };
    this.nodes.push(node);
    return node;
  }

  register(node: Node, user: User): Device {
    const device = new Device(user, node);
    device.unregister = node.exchange.register(device);
    node.devices.push(device);
    return device;
  }

  async pass(ms: number): Promise<void> {
    const step = Math.max(20, ms / 300);
    for (let passed = 0; passed < ms; passed += step) {
      this.clock.advance(step);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  ends(): readonly End[] {
    return this.nodes
      .flatMap(({ devices }) => devices.flatMap(({ ends }) => ends))
      .filter(({ phase }) => phase !== 'over');
  }
}
