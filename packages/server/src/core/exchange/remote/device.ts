import { problemOf } from '../../../kit/index.ts';
import type { NodeId } from '../../cluster/index.ts';
import type { UserId } from '../../journal/index.ts';
import type { Actor } from '../../permissions/index.ts';
import { CAUSE, type CallKind, type Cause, type EndpointId, type LegId, type Opaque } from '../model.ts';
import type { Endpoint, Leg, LegUser } from '../ports.ts';
import type { Message } from './messages.ts';

/** What a device of another node needs of its exchange. @throws too-large */
export interface DeviceHost {
  /** Tells its node of the call, and that the device is offered it. */
  offer(device: RemoteDevice, leg: Leg): void;
  tell(node: NodeId, message: Message<'released' | 'relayed'>): void;
}

/** A device that is registered on another node, as calls of this node are offered to it. */
export class RemoteDevice implements Endpoint {
  readonly id: EndpointId;
  readonly owner: UserId;
  readonly node: NodeId;
  /** Nobody speaks through it here: its texts go to the conversation from its own node. */
  readonly actor: Actor = { kind: 'anonymous' };
  readonly resource = '';
  readonly #kinds: readonly CallKind[];
  readonly #host: DeviceHost;
  readonly #legs = new Map<LegId, Leg>();

  constructor(host: DeviceHost, node: NodeId, { endpoint, owner, kinds }: Message<'device'>) {
    this.id = endpoint;
    this.owner = owner;
    this.node = node;
    this.#kinds = kinds;
    this.#host = host;
  }

  takes(kind: CallKind): boolean {
    return this.#kinds.includes(kind);
  }

  offer(leg: Leg): LegUser {
    this.#legs.set(leg.setup.leg, leg);
    this.#orEnd(leg, () => this.#host.offer(this, leg));
    const nothing = (): void => undefined;
    const { conference, leg: id } = leg.setup;
    return {
      proceeding: nothing,
      alerting: nothing,
      connected: nothing,
      released: (cause, body) => {
        if (this.#legs.delete(leg.setup.leg)) this.#tellReleased(leg, cause, body);
      },
      relayed: (body) =>
        this.#orEnd(leg, () => this.#host.tell(this.node, { say: 'relayed', conference, leg: id, body: [...body] })),
      chatState: nothing,
      text: nothing,
      textFailed: nothing,
      textTaken: nothing,
    };
  }

  /** The exchange's end of a leg; undefined: the device has no part in that call any more, and has been told so. */
  legOf(leg: LegId): Leg | undefined {
    return this.#legs.get(leg);
  }

  /** The device has ended its leg. */
  released(id: LegId, cause: Cause, body: readonly Opaque[]): void {
    const leg = this.#legs.get(id);
    this.#legs.delete(id);
    leg?.release(cause, body);
  }

  /** It has no part in any call any more, whether its node knows or not. */
  lose(): void {
    for (const leg of [...this.#legs.values()]) this.#end(leg, CAUSE.lost);
  }

  /** Ends a leg at both sides. */
  #end(leg: Leg, cause: Cause): void {
    if (!this.#legs.delete(leg.setup.leg)) return;
    this.#tellReleased(leg, cause, []);
    leg.release(cause, []);
  }

  #tellReleased(leg: Leg, cause: Cause, body: readonly Opaque[]): void {
    const { conference, leg: id } = leg.setup;
    const told = { say: 'released', conference, leg: id, cause, body: [] } as const;
    try {
      this.#host.tell(this.node, { ...told, body: [...body] });
    } catch (error) {
      problemOf(error);
      this.#host.tell(this.node, { ...told, body: [] });
    }
  }

  /** What is too much for another node ends the leg; later, since the call may be in the middle of a step. */
  #orEnd(leg: Leg, tell: () => void): void {
    try {
      tell();
    } catch (error) {
      problemOf(error);
      queueMicrotask(() => this.#end(leg, CAUSE.protocol));
    }
  }
}
