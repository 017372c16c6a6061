import { type Json, nestsDeeper } from '../../../kit/index.ts';
import type { UserId } from '../../journal/index.ts';
import type { CallKind, ConferenceId, EndpointId, LegId, Opaque, Party } from '../model.ts';
import { flag, integer, listOf, members, oneOf, orNull, type Shape, type Shaped, text } from './shapes.ts';

/**
 * What devices say to each other is flat: what is deeper was not written by a peer of ours.
 * @peer what another node says so is passed over
 * @test remote/messages: bodies have a bound
 */
const MAX_BODY_DEPTH = 64;

/**
 * Parts of one message between devices; their own surface makes few.
 * @peer what another node says so is passed over
 * @test remote/messages: bodies have a bound
 */
const MAX_BODY_ITEMS = 100;

const conference = text<ConferenceId>();
const endpoint = text<EndpointId>();
const leg = text<LegId>();
const ask = text();
const cause = integer(1, 127);
const kind = oneOf<CallKind>('chat', 'plain', 'media');
const opaque = members({
  type: (value): value is string => typeof value === 'string',
  value: (value): value is Json => value !== undefined && !nestsDeeper(value, MAX_BODY_DEPTH),
}) satisfies Shape<Opaque>;
const body = listOf(opaque, MAX_BODY_ITEMS);
const party: Shape<Party> = members({
  user: text<UserId>(),
  name: text(),
  number: orNull(text()),
  displayName: text(),
});
const state = {
  phase: oneOf('offering', 'connected'),
  isAnswered: flag,
  /** The device that has the callee's part. */
  winner: orNull(endpoint),
};
const ofLeg = { conference, leg };

/** What exchanges of two nodes say to each other. */
const shapes = {
  /** A device has registered on the teller's node. */
  device: members({ endpoint, owner: text<UserId>(), kinds: listOf(kind, 3) }),
  'device-gone': members({ endpoint }),

  // The owner of a call tells nodes that have devices of its parties.

  /** A call stands, and perhaps: one of your devices is offered it. `leg` is the caller's. */
  call: members({
    ...ofLeg,
    kind,
    caller: party,
    callee: party,
    callerEndpoint: orNull(endpoint),
    ...state,
    offer: orNull(members({ leg, endpoint, body })),
  }),
  state: members({ conference, ...state }),
  ended: members({ conference, cause }),
  released: members({ ...ofLeg, cause, body }),
  relayed: members({ ...ofLeg, body }),

  // They tell the owner.

  alert: members({ ...ofLeg, body }),
  connect: members({ ...ofLeg, body }),
  relay: members({ ...ofLeg, body }),
  release: members({ ...ofLeg, cause, body }),
  'hang-up': members({ conference, cause }),

  /** Texts of `caller` wait for `callee`: which call takes them? The answer follows what is told of that call. */
  want: members({ ask, caller: party, callee: party }),
  found: members({ ask, conference }),

  /** Has your device this end of the call still? Texts that came after it was asked are its own then. */
  'has-it': members({ ask, conference, endpoint }),
  has: members({ ask, hasIt: flag }),
};

type Shapes = typeof shapes;
export type Say = keyof Shapes;
export type Message<S extends Say = Say> = { [K in S]: { readonly say: K } & Shaped<Shapes[K]> }[S];

/** A batch as a link carries it: messages `first`, `first + 1`, … of the link `link`. */
const batch = members({
  link: text(),
  first: integer(1, Number.MAX_SAFE_INTEGER),
  messages: (value): value is readonly unknown[] => Array.isArray(value),
});
export type Batch = Shaped<typeof batch>;

/** Undefined: no message of ours, such as the word of another version. */
export function messageFrom(value: unknown): Message | undefined {
  return isMessage(value) ? value : undefined;
}

/** Undefined: no batch. */
export function batchFrom(value: unknown): Batch | undefined {
  return batch(value) ? value : undefined;
}

function isMessage(value: unknown): value is Message {
  if (typeof value !== 'object' || value === null || !('say' in value)) return false;
  const { say } = value;
  return typeof say === 'string' && Object.hasOwn(shapes, say) && shapes[say as Say](value);
}
