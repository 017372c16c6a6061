import { type Clock, Listeners, Problem, type Stop, type Timer } from '../../kit/index.ts';
import type { NodeId } from './peers.ts';
import type { ClusterUnits, Renewal } from './ports.ts';

/** A node that has not renewed its lease for so long is dead: its roles are given away, its calls end as lost. */
export const LEASE_MS = 10_000;
/** Three tries before a lease runs out. */
const RENEW_MS = 3_000;
/** A node gives up what it has so long before others may take it: room for timers that run late. */
const MARGIN_MS = 1_000;
/** Stands for ever: the lease of the one owner of its store. */
const ALONE_MS = 100 * 365 * 24 * 3_600_000;

/** Who is in the cluster by the store's leases, and who holds which role. */
export interface Membership {
  readonly self: NodeId;
  /** This node's lease stands, by the clock: what it owns is its own. False: the store could not be reached for too long. */
  readonly isLive: boolean;
  /** Nodes whose leases stood at the last renewal, this one included. */
  readonly living: ReadonlySet<NodeId>;
  /** Roles that this node holds. */
  readonly held: ReadonlySet<string>;
  /** Who holds a role that this node seeks, as of the last renewal; null: nobody known. */
  holderOf(role: string): NodeId | null;
  /**
   * Seeks a role, now and whenever it falls free. `changed` hears each change of its holder, the first included; a promise that it
   * returns is waited for before the role is given away.
   */
  seek(role: string, changed: Changed): Stop;
  /** Looks at the store now rather than later: something is said to have changed. */
  refresh(): void;
  /** A node was in the cluster, and is no more: its lease has run out, or it has left. */
  readonly gone: Pick<Listeners<NodeId>, 'add'>;
  /** `isLive` has changed. */
  readonly liveness: Pick<Listeners<boolean>, 'add'>;
  /** Gives the roles to others, and takes none any more; the lease stands until `close`. For a node that drains. */
  resign(): Promise<void>;
  /** Ends the lease. Idempotent. */
  close(): Promise<void>;
}

/** What the membership has to say: `cluster.role-gained`, `cluster.lease-lost` and the like. */
export interface MembershipLog {
  info(event: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(event: string, fields?: Readonly<Record<string, unknown>>): void;
}

export interface MembershipParts {
  readonly store: {
    write<K extends keyof ClusterUnits>(kind: K, input: ClusterUnits[K]['input']): Promise<ClusterUnits[K]['output']>;
  };
  readonly clock: Clock;
  readonly self: NodeId;
  /** Name of the bus; null: none. */
  readonly bus: string | null;
  /** The store has one owner, which this process is (SQLite). */
  readonly isAlone: boolean;
  readonly onTrouble: (error: unknown) => void;
  readonly log?: MembershipLog;
  readonly leaseMs?: number;
  readonly renewMs?: number;
}

type Changed = (holder: NodeId | null) => void | Promise<void>;

interface Sought {
  holder: NodeId | null;
  readonly changed: Changed;
}

/**
 * Waits for the lease of a node on no bus, or on another, to run out: it may be this one's own from before a crash.
 * @throws lonely-node (another node lives that this one can't talk with) | store-unavailable
 */
export async function joinCluster(parts: MembershipParts): Promise<Membership> {
  const { store, clock, self, bus, isAlone, onTrouble, log } = parts;
  const leaseMs = isAlone ? ALONE_MS : (parts.leaseMs ?? LEASE_MS);
  const renewMs = parts.renewMs ?? RENEW_MS;
  const liveness = new Listeners<boolean>();
  const gone = new Listeners<NodeId>();
  const sought = new Map<string, Sought>();
  /** By the last renewal, whatever has become of this node's own lease since. */
  let known: ReadonlySet<NodeId> = new Set();
  let leaseEnd = Infinity;
  let living: ReadonlySet<NodeId> = new Set([self]);
  let isLive = true;
  let isResigned = false;
  let isOpen = true;
  let renewing: Promise<void> | null = null;
  let isWanted = false;
  let expiry: Timer | null = null;
  let next: Timer | null = null;

  take(await join(clock.now() + leaseMs + renewMs), clock.now());
  schedule();

  async function join(deadline: number): Promise<Renewal> {
    for (;;) {
      const first = await renewal([]);
      if (!first.others.some((other) => other.bus !== bus || bus === null)) return first;
      await store.write('cluster.leave', { node: self });
      if (clock.now() >= deadline) throw lonelyNode();
      log?.warn('cluster.lease-awaited', { reason: 'a node on another bus, or on none, has a lease' });
      await new Promise<void>((resolve) => clock.after(renewMs, resolve));
    }
  }

  function renewal(roles: readonly string[]): Promise<Renewal> {
    return store.write('cluster.renew', { node: self, bus, leaseMs, roles, isAlone });
  }

  function schedule(): void {
    next?.cancel();
    next = !isOpen || isAlone ? null : clock.after(renewMs, () => void renew());
  }

  /** One at a time; what is asked for meanwhile is one more. */
  function renew(): Promise<void> {
    isWanted = true;
    return (renewing ??= renewAll().finally(() => {
      renewing = null;
      schedule();
    }));
  }

  async function renewAll(): Promise<void> {
    while (isWanted && isOpen) {
      isWanted = false;
      const asked = clock.now();
      try {
        take(await renewal(isResigned ? [] : [...sought.keys()]), asked);
      } catch (error) {
        onTrouble(error);
      }
    }
  }

  function take({ roles, others }: Renewal, asked: number): void {
    if (!isOpen) return;
    const before = known;
    known = new Set(others.map(({ node }) => node));
    living = new Set([self, ...known]);
    expiry?.cancel();
    if (!isAlone) {
      leaseEnd = asked + leaseMs - MARGIN_MS;
      expiry = clock.after(Math.max(0, leaseEnd - clock.now()), expired);
    }
    setLive(true);
    if (!isResigned) for (const [role, one] of sought) void setHolder(role, one, roles[role] ?? null);
    for (const node of before) if (!known.has(node)) gone.emit(node);
  }

  /** Others may take what this node has: it lets go first. */
  function expired(): void {
    living = new Set([self]);
    for (const [role, one] of sought) void setHolder(role, one, null);
    setLive(false);
  }

  function setLive(now: boolean): void {
    if (now === isLive) return;
    isLive = now;
    if (now) log?.info('cluster.lease-back');
    else log?.warn('cluster.lease-lost');
    liveness.emit(now);
  }

  async function setHolder(role: string, one: Sought, holder: NodeId | null): Promise<void> {
    if (one.holder === holder) return;
    if (holder === self) log?.info('cluster.role-gained', { role });
    if (one.holder === self) log?.info('cluster.role-lost', { role });
    one.holder = holder;
    try {
      await one.changed(holder);
    } catch (error) {
      onTrouble(error);
    }
  }

  return {
    self,
    get isLive() {
      return isLive && clock.now() < leaseEnd;
    },
    get living() {
      return living;
    },
    liveness,
    gone,
    refresh: () => void renew(),
    get held() {
      return new Set([...sought].filter(([, { holder }]) => holder === self).map(([role]) => role));
    },
    holderOf: (role) => sought.get(role)?.holder ?? null,
    seek(role, changed) {
      if (sought.has(role)) throw new Error(`The role ${role} is sought already.`);
      sought.set(role, { holder: null, changed });
      void renew();
      return () => void sought.delete(role);
    },
    async resign() {
      isResigned = true;
      await renewing;
      for (const [role, one] of sought) {
        if (one.holder === self) await setHolder(role, one, null);
        // Also one that came with the last renewal, and was not taken any more.
        // Where the store is away, the role falls free with the lease.
        await store.write('cluster.resign', { node: self, role }).catch(onTrouble);
      }
    },
    async close() {
      if (!isOpen) return;
      isOpen = false;
      next?.cancel();
      expiry?.cancel();
      await renewing;
      await store.write('cluster.leave', { node: self }).catch(onTrouble);
    },
  };
}

function lonelyNode(): Problem {
  return new Problem(
    'lonely-node',
    'Another node uses this database, and the two have no bus in common: give all of them the same bus.url.',
  );
}
