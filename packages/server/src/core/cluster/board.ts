import { type Clock, every, isJsonObject, type Json, Listeners, type Stop, type Timer } from '../../kit/index.ts';
import { type BoardMessage, type Following, stepFollowing, unheard } from './follow.ts';
import { MAX_PEER_BYTES, type NodeId, type Peers } from './peers.ts';

/** Changes are gathered so long: however often a notice changes meanwhile, the others hear of it once. */
export const GATHER_MS = 20;
/** How often a node says how much it has told, so that the loss of the last message is noticed too. */
export const BEAT_MS = 5_000;
/** A node that has asked for all notices of another does not ask again for so long: they are on their way. */
const ASK_AGAIN_MS = 1_000;
/**
 * Notices in one message, as JSON. A single one may have as much again.
 * @peer nothing to notice
 * @test cluster/board: a node that comes is told all
 */
const CHUNK_BYTES = MAX_PEER_BYTES / 2 - 1_024;

/**
 * What the nodes tell each other of things that live and are in no store: each posts notices under keys, and sees those of the
 * others. Newest wins. A loss is noticed and made good, a node that comes is told all, the notices of one that has gone end.
 * A node that is alone pays nothing.
 */
export interface Board<K extends string, V> {
  /** The own notice under this key has changed: the others are told soon. */
  changed(key: K): void;
  /** The notices of the other nodes under this key. */
  of(key: K): ReadonlyMap<NodeId, V>;
  /** A notice of another node has changed or ended. */
  readonly changes: Pick<Listeners<K>, 'add'>;
  /** Says nothing more, not even that the own notices end: the others learn that from the node's going. Idempotent. */
  close(): void;
}

export interface BoardParts<K extends string, V> {
  readonly peers: Peers;
  readonly clock: Clock;
  /** Unique among the boards of a node. */
  readonly name: string;
  /** What this node posts. */
  readonly own: { get(key: K): V | null; keys(): Iterable<K> };
  /** At most 128 KiB as JSON text. */
  readonly encode: (value: V) => Json;
  /** Null: it can't be read. */
  readonly decode: (json: Json) => V | null;
  /** How long the notices of a node that went are still seen. */
  readonly graceMs?: number;
}

interface Other {
  following: Following;
  /** While all there is comes: the keys that came. */
  fresh: Set<string> | null;
  askedAt: number;
  grace: Timer | null;
}

type Item = readonly [key: string, value: Json];

export function createBoard<K extends string, V>(parts: BoardParts<K, V>): Board<K, V> {
  const { peers, clock, own, encode, decode, graceMs = 0 } = parts;
  const subject = `board.${parts.name}`;
  const none: ReadonlyMap<NodeId, V> = new Map();
  const notices = new Map<K, Map<NodeId, V>>();
  const others = new Map<NodeId, Other>();
  const changes = new Listeners<K>();
  const dirty = new Set<K>();
  let number = 0;
  let mustTellAll = false;
  let isOpen = true;
  let gathering: Timer | null = null;
  const beat = every(clock, BEAT_MS, () => {
    if (peers.others.size > 0) peers.tell(subject, { kind: 'beat', number });
  });
  const stops: readonly Stop[] = [
    peers.hear(subject, hear),
    peers.up.add(came),
    peers.down.add(went),
    () => beat.cancel(),
    () => gathering?.cancel(),
    () => others.forEach(({ grace }) => grace?.cancel()),
  ];
  for (const node of peers.others) came(node);
  if (peers.others.size > 0) tellAll();

  function gather(): void {
    gathering ??= clock.after(GATHER_MS, () => {
      gathering = null;
      for (const items of chunksOf(dirty)) peers.tell(subject, { kind: 'changes', number: ++number, items });
      dirty.clear();
      // After the changes: who has missed nothing does not look at it.
      if (mustTellAll) tellAll();
    });
  }

  function tellAll(): void {
    mustTellAll = false;
    const chunks = chunksOf([...own.keys()].filter((key) => own.get(key) !== null));
    if (chunks.length === 0) chunks.push([]);
    chunks.forEach((items, i) => {
      const [isFirst, isLast] = [i === 0, i === chunks.length - 1];
      peers.tell(subject, { kind: 'all', number: ++number, isFirst, isLast, items });
    });
  }

  function chunksOf(keys: Iterable<K>): Item[][] {
    const chunks: Item[][] = [];
    let room = 0;
    for (const key of keys) {
      const value = own.get(key);
      const item: Item = [key, value === null ? null : encode(value)];
      const bytes = Buffer.byteLength(JSON.stringify(item)) + 1;
      if (room < bytes || chunks.length === 0) {
        chunks.push([]);
        room = CHUNK_BYTES;
      }
      chunks.at(-1)?.push(item);
      room -= bytes;
    }
    return chunks;
  }

  function came(node: NodeId): void {
    const other = otherOf(node);
    other.grace?.cancel();
    other.grace = null;
    ask(node, other);
  }

  function went(node: NodeId): void {
    const other = others.get(node);
    if (other === undefined) return;
    other.following = unheard;
    other.askedAt = Number.NEGATIVE_INFINITY;
    other.grace?.cancel();
    if (graceMs === 0) return forget(node);
    other.grace = clock.after(graceMs, () => forget(node));
  }

  function forget(node: NodeId): void {
    others.delete(node);
    for (const key of [...notices.keys()]) put(node, key, null);
  }

  function otherOf(node: NodeId): Other {
    const known = others.get(node);
    if (known !== undefined) return known;
    const fresh: Other = { following: unheard, fresh: null, askedAt: Number.NEGATIVE_INFINITY, grace: null };
    others.set(node, fresh);
    return fresh;
  }

  function ask(node: NodeId, other: Other): void {
    if (clock.now() - other.askedAt < ASK_AGAIN_MS) return;
    other.askedAt = clock.now();
    peers.tell(subject, { kind: 'ask', of: node });
  }

  function hear(input: Json, from: NodeId): void {
    if (!isJsonObject(input)) return;
    if (input['kind'] === 'ask') {
      if (input['of'] !== peers.self) return;
      mustTellAll = true;
      return gather();
    }
    const message = messageOf(input);
    if (message === null) return;
    const other = otherOf(from);
    const { state, effects } = stepFollowing(other.following, message);
    other.following = state;
    for (const effect of effects) {
      if (effect === 'begin') other.fresh = new Set();
      if (effect === 'apply') for (const [key, json] of itemsOf<K>(input)) take(from, other, key, json);
      if (effect === 'finish') finish(from, other);
      if (effect === 'ask') ask(from, other);
    }
  }

  function take(from: NodeId, { fresh }: Other, key: K, json: Json): void {
    fresh?.add(key);
    put(from, key, json === null ? null : decode(json));
  }

  function finish(from: NodeId, other: Other): void {
    for (const [key, posted] of [...notices])
      if (posted.has(from) && other.fresh?.has(key) !== true) put(from, key, null);
    other.fresh = null;
  }

  function put(from: NodeId, key: K, value: V | null): void {
    const posted = notices.get(key);
    if (value !== null) notices.set(key, (posted ?? new Map<NodeId, V>()).set(from, value));
    else if (posted?.delete(from) !== true) return;
    else if (posted.size === 0) notices.delete(key);
    changes.emit(key);
  }

  return {
    changes,
    changed(key) {
      if (!isOpen || peers.others.size === 0) return;
      dirty.add(key);
      gather();
    },
    of: (key) => notices.get(key) ?? none,
    close() {
      isOpen = false;
      for (const stop of stops) stop();
    },
  };
}

/** What another node of this cluster has made. */
function messageOf(input: Json): BoardMessage | null {
  if (!isJsonObject(input) || typeof input['number'] !== 'number') return null;
  const { kind, number } = { kind: input['kind'], number: input['number'] };
  if (kind === 'changes' || kind === 'beat') return { kind, number };
  if (kind !== 'all') return null;
  return { kind, number, isFirst: input['isFirst'] === true, isLast: input['isLast'] === true };
}

function itemsOf<K extends string>(input: Json): readonly (readonly [K, Json])[] {
  return isJsonObject(input) && Array.isArray(input['items'])
    ? (input['items'] as readonly (readonly [K, Json])[])
    : [];
}
