import type { NodeId } from '../../cluster/index.ts';
import type { UserId } from '../../journal/index.ts';
import type { EndpointId } from '../model.ts';
import type { RemoteDevice } from './device.ts';

const NONE: ReadonlySet<RemoteDevice> = new Set();

/** Devices that are registered on other nodes. */
export class RemoteDevices {
  readonly #byUser = new Map<UserId, Set<RemoteDevice>>();
  readonly #byNode = new Map<NodeId, Map<EndpointId, RemoteDevice>>();

  of(user: UserId): ReadonlySet<RemoteDevice> {
    return this.#byUser.get(user) ?? NONE;
  }

  /** Nodes that have devices of this user. */
  nodesOf(user: UserId): ReadonlySet<NodeId> {
    return new Set([...this.of(user)].map(({ node }) => node));
  }

  on(node: NodeId): readonly RemoteDevice[] {
    return [...(this.#byNode.get(node)?.values() ?? [])];
  }

  /** False: it is known. */
  add(device: RemoteDevice): boolean {
    const onNode = this.#byNode.get(device.node) ?? new Map<EndpointId, RemoteDevice>();
    if (onNode.has(device.id)) return false;
    this.#byNode.set(device.node, onNode.set(device.id, device));
    const ofUser = this.#byUser.get(device.owner) ?? new Set();
    this.#byUser.set(device.owner, ofUser.add(device));
    return true;
  }

  /** The device that was taken out; undefined: it was not known. */
  take(node: NodeId, id: EndpointId): RemoteDevice | undefined {
    const onNode = this.#byNode.get(node);
    const device = onNode?.get(id);
    if (onNode === undefined || device === undefined) return undefined;
    onNode.delete(id);
    if (onNode.size === 0) this.#byNode.delete(node);
    const ofUser = this.#byUser.get(device.owner);
    ofUser?.delete(device);
    if (ofUser?.size === 0) this.#byUser.delete(device.owner);
    return device;
  }
}
