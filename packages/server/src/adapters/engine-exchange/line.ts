import type { ConferenceId, EndpointId, Leg, LegUser, Terminal } from '../../core/exchange/index.ts';
import type { Actor } from '../../core/permissions/index.ts';

/** Nothing is told to an application's line: it follows its calls by the exchange's changes. */
const quietUser: LegUser = {
  proceeding: () => undefined,
  alerting: () => undefined,
  connected: () => undefined,
  released: () => undefined,
  relayed: () => undefined,
  chatState: () => undefined,
  text: () => undefined,
  textFailed: () => undefined,
  textTaken: () => undefined,
};

/**
 * A number as applications steer it: a terminal without media. It rings where somebody listens to the number, and is answered
 * by command.
 */
export class Line implements Terminal {
  readonly id: EndpointId;
  readonly resource: string;
  readonly actor: Actor;
  readonly user = quietUser;
  readonly #legs = new Map<ConferenceId, Leg>();

  constructor(number: string) {
    this.id = `line-${number}` as EndpointId;
    this.resource = `line-${number}`;
    this.actor = { kind: 'telephone', user: null, number };
  }

  takes(kind: string): boolean {
    return kind === 'plain';
  }

  offer(leg: Leg): LegUser {
    const { conference } = leg.setup;
    this.#legs.set(conference, leg);
    leg.alert([]);
    return { ...quietUser, released: () => void this.#legs.delete(conference) };
  }

  /** False: this call does not ring here. */
  answer(conference: ConferenceId): boolean {
    const leg = this.#legs.get(conference);
    leg?.connect([]);
    return leg !== undefined;
  }

  forget(conference: ConferenceId): void {
    this.#legs.delete(conference);
  }
}
