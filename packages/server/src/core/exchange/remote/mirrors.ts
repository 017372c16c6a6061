import type { NodeId } from '../../cluster/index.ts';
import type { UserId } from '../../journal/index.ts';
import { CAUSE, type ConferenceId, type EndpointId } from '../model.ts';
import type { Terminal } from '../ports.ts';
import type { StandingCalls } from '../standing-calls.ts';
import type { Message } from './messages.ts';
import { Mirror, type MirrorHost } from './mirror.ts';

export interface MirrorsParts extends Omit<MirrorHost, 'tell' | 'ended'> {
  readonly standing: StandingCalls;
  readonly deviceOf: (owner: UserId, id: EndpointId) => Terminal | undefined;
  /** @throws too-large */
  readonly tell: (owner: NodeId, message: Message) => void;
}

/** The calls of other nodes that devices of this one have to do with. */
export class Mirrors {
  readonly #parts: MirrorsParts;
  readonly #all = new Set<Mirror>();

  constructor(parts: MirrorsParts) {
    this.#parts = parts;
  }

  /** A call that this node owns. */
  of(owner: NodeId, { conference }: { readonly conference: ConferenceId }): Mirror | undefined {
    const call = this.#parts.standing.get(conference);
    return call instanceof Mirror && call.owner === owner ? call : undefined;
  }

  /** What its owner tells of a call; a device that has gone meanwhile leaves it. */
  take(owner: NodeId, message: Message<'call'>): void {
    const { standing, deviceOf, tell } = this.#parts;
    const { conference, callee, offer } = message;
    const mirror =
      this.of(owner, message) ?? (standing.get(conference) === undefined ? this.#add(owner, message) : undefined);
    if (mirror === undefined || offer === null) return;
    const device = deviceOf(callee.user, offer.endpoint);
    if (device !== undefined) mirror.offer(offer.leg, device, offer.body);
    else tell(owner, { say: 'release', conference, leg: offer.leg, cause: CAUSE.lost, body: [] });
  }

  /** The terminal has gone. */
  lose(terminal: Terminal): void {
    for (const mirror of [...this.#all]) mirror.lose(terminal);
  }

  /** The owner can't be reached, or has gone. */
  end(owner: NodeId): void {
    for (const mirror of [...this.#all]) if (mirror.owner === owner) mirror.end(CAUSE.lost);
  }

  #add(owner: NodeId, message: Message<'call'>): Mirror {
    const { tell, standing } = this.#parts;
    const ended = (mirror: Mirror): void => {
      standing.delete(mirror);
      this.#all.delete(mirror);
    };
    const host: MirrorHost = { ...this.#parts, tell: (told) => tell(owner, told), ended };
    const mirror = new Mirror(host, owner, message);
    this.#all.add(mirror);
    standing.add(mirror);
    mirror.follow(message);
    return mirror;
  }
}
