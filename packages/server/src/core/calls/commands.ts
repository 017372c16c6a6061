import { type Clock, TokenBuckets, type BucketRate } from '../../kit/index.ts';
import type { CallId, UserId } from '../journal/index.ts';
import { type Actor, demand } from '../permissions/index.ts';
import type { CallIds } from './call-ids.ts';
import {
  engineUnavailable,
  invalidNumber,
  noNumber,
  noSuchCall,
  notSupported,
  tooManyRequests,
  wrongState,
} from './errors.ts';
import { DIAL_LISTEN_MS, DIAL_RATE } from './limits.ts';
import type { LiveCall, LiveCalls } from './live-calls.ts';
import { canonicalNumber } from './number.ts';
import type { Once } from './once.ts';
import type { CallEngine, EngineAbilities, TransferTarget } from './ports.ts';
import type { Registry } from './registry.ts';

/**
 * Ids are shorter; longer texts are not looked up.
 * @peer 404 `no-such-call`
 * @test calls/limits: ids and keys
 */
const MAX_CALL_ID_CHARS = 64;

export interface DialCommand {
  /** The number that calls; null = the asker has none. */
  readonly from: string | null;
  readonly to: string;
  readonly idempotencyKey: string | null;
}

/** What became of a dial. */
export type Dialled = {
  /** Canonical. */
  readonly from: string;
  readonly to: string;
  /** The call's id, where the engine says at once; it shows to listeners under it. */
  readonly call: CallId | null;
};

export interface CallCommand {
  readonly call: CallId;
  readonly idempotencyKey: string | null;
}

export interface CommandParts {
  readonly clock: Clock;
  readonly live: LiveCalls;
  readonly registry: Registry;
  readonly ids: CallIds;
  readonly once: Once;
  readonly dialRate?: BucketRate;
  engineFor(number: string): CallEngine | null;
  /** Whose the number is, for the permission. */
  userOf(actor: Actor, number: string): Promise<UserId | null>;
}

export interface CallCommands {
  /** @throws no-number | invalid-number | forbidden | too-many-requests | engine-unavailable | call-refused | outcome-unknown | idempotency-conflict */
  dial(actor: Actor, command: DialCommand): Promise<Dialled>;
  /** @throws no-such-call | forbidden | not-supported | wrong-state | engine-unavailable | outcome-unknown | idempotency-conflict. As the others. */
  answer(actor: Actor, command: CallCommand): Promise<void>;
  hangup(actor: Actor, command: CallCommand): Promise<void>;
  /** `on: false` takes the call back. What is so already is no failure. */
  hold(actor: Actor, command: CallCommand & { readonly on: boolean }): Promise<void>;
  /** To a number, unannounced, or to the far end of another call of the same number. */
  transfer(actor: Actor, command: CallCommand & { readonly to: { number: string } | { call: CallId } }): Promise<void>;
}

interface Step {
  readonly name: 'answer' | 'hangup' | 'hold' | 'transfer';
  readonly body: string;
  readonly ability: keyof EngineAbilities;
  readonly isPossible: (live: LiveCall) => boolean;
  readonly act: (live: LiveCall) => Promise<void>;
}

export function createCommands(parts: CommandParts): CallCommands {
  const throttle = new TokenBuckets(parts.clock, parts.dialRate ?? DIAL_RATE);

  async function dial(actor: Actor, { from, to, idempotencyKey }: DialCommand): Promise<Dialled> {
    const number = from === null ? undefined : canonicalNumber(from);
    if (number === undefined) throw noNumber();
    demand(actor, { do: 'control-calls', of: await parts.userOf(actor, number), number });
    const target = canonicalNumber(to);
    if (target === undefined) throw invalidNumber(to);
    const command = { from: number, to: target };
    const scope = `${nameOf(actor)} dial`;
    return parts.once.run({ scope, key: idempotencyKey, body: `${number} ${target}`, work: () => send(command) });
  }

  async function send(command: { readonly from: string; readonly to: string }): Promise<Dialled> {
    const waitMs = throttle.waitMs(command.from);
    if (waitMs > 0) throw tooManyRequests(waitMs);
    const engine = parts.engineFor(command.from);
    if (engine === null || !engine.isConnected) throw engineUnavailable();
    throttle.take(command.from);
    parts.registry.hold(command.from, DIAL_LISTEN_MS);
    const ref = await engine.dial(command);
    return { ...command, call: ref === null ? null : parts.ids.of(engine, ref) };
  }

  async function onCall(actor: Actor, command: CallCommand, step: Step): Promise<void> {
    if (command.call.length > MAX_CALL_ID_CHARS) throw noSuchCall();
    const scope = `${nameOf(actor)} ${step.name}`;
    const body = `${command.call} ${step.body}`;
    await parts.once.run({ scope, key: command.idempotencyKey, body, work: () => act(actor, command.call, step) });
  }

  async function act(actor: Actor, id: CallId, step: Step): Promise<null> {
    const live = mayControl(actor, id);
    if (!live.engine.isConnected) throw engineUnavailable();
    if (!live.engine.abilities[step.ability]) throw notSupported(step.name);
    if (!step.isPossible(live)) throw wrongState(live.call.state);
    await step.act(live);
    return null;
  }

  function mayControl(actor: Actor, id: CallId): LiveCall {
    const live = parts.live.byId(id);
    if (live === undefined) throw noSuchCall();
    demand(actor, { do: 'control-calls', of: live.call.user, number: live.call.number });
    return live;
  }

  function targetOf(actor: Actor, live: LiveCall, to: { number: string } | { call: CallId }): TransferTarget {
    if ('number' in to) {
      const number = canonicalNumber(to.number);
      if (number === undefined) throw invalidNumber(to.number);
      return { number };
    }
    const other = mayControl(actor, to.call);
    if (other === live || other.engine !== live.engine || other.call.number !== live.call.number) throw noSuchCall();
    return { ref: other.ref };
  }

  return {
    dial,
    answer: (actor, command) =>
      onCall(actor, command, {
        name: 'answer',
        body: '',
        ability: 'answer',
        isPossible: ({ call }) => call.direction === 'inbound' && call.state === 'ringing',
        act: ({ engine, ref }) => engine.answer(ref),
      }),
    hangup: (actor, command) =>
      onCall(actor, command, {
        name: 'hangup',
        body: '',
        ability: 'hangup',
        isPossible: () => true,
        act: ({ engine, ref }) => engine.hangup(ref),
      }),
    hold: (actor, command) =>
      onCall(actor, command, {
        name: 'hold',
        body: String(command.on),
        ability: 'hold',
        isPossible: ({ call }) => call.state === 'connected' || call.state === 'held',
        act: async ({ engine, ref, call }) => {
          if ((call.state === 'held') !== command.on) await engine.hold(ref, command.on);
        },
      }),
    transfer: (actor, command) =>
      onCall(actor, command, {
        name: 'transfer',
        body: 'number' in command.to ? command.to.number : command.to.call,
        ability: 'transfer',
        isPossible: ({ call }) => call.state === 'connected' || call.state === 'held',
        act: async (live) => live.engine.transfer(live.ref, targetOf(actor, live, command.to)),
      }),
  };
}

/** Whose idempotency keys are whose. */
function nameOf(actor: Actor): string {
  switch (actor.kind) {
    case 'user':
      return `user ${actor.user}`;
    case 'app':
      return `app ${actor.app}`;
    case 'telephone':
      return `telephone ${actor.number}`;
    case 'server':
    case 'anonymous':
      return actor.kind;
  }
}
