import type { FlowGate } from '../client/flow-gate.ts';
import type { JsonObject } from '../wire/envelope.ts';
import type { ServiceConnection } from './service-connection.ts';

type Gate = Pick<FlowGate<never>, 'hold' | 'release'>;
const nothing = (): void => undefined;

/** One `api` value on one accepted connection: the part that `PbxApi` and `JsonApi` share (AW §8.2). */
export class ApiObject {
  /** The `api` value whose messages arrive here. */
  readonly api: string;
  /** The connection underneath, for `request()` and `subscribe()`. */
  readonly connection: ServiceConnection;
  readonly #gate: Gate;
  #messageCallback: (text: string, message: JsonObject) => void | Promise<void> = nothing;
  #closeCallback: () => unknown = nothing;
  #hasFlowControl = false;

  /** @internal */
  constructor(api: string, connection: ServiceConnection, gate: Gate) {
    this.api = api;
    this.connection = connection;
    this.#gate = gate;
  }

  /** Domain of the PBX, or of the login. */
  get domain(): string {
    return this.connection.pbx?.domain ?? this.connection.identity.domain;
  }

  /** JSON text of the login's `info`; `""` where it had none. */
  get info(): string {
    return this.connection.identity.infoText ?? '';
  }

  /** Messages with this `api`, as text; the second argument is the text parsed. A returned promise holds reading back. */
  onmessage(callback: (text: string, message: JsonObject) => void | Promise<void>): this {
    this.#messageCallback = callback;
    return this;
  }

  /** The connection is closed. */
  onclose(callback: () => void): this {
    this.#closeCallback = callback;
    return this;
  }

  /** Sends a text as it is: it must name the `api` itself. Throws `not-connected`. */
  send(text: string): this {
    this.connection.sendText(text);
    return this;
  }

  /** On: after one `onmessage` no further one until {@link messageComplete}. It holds back the whole socket (AW §8.2). */
  setFlowControl(isOn: boolean): this {
    this.#hasFlowControl = isOn;
    if (!isOn) this.messageComplete();
    return this;
  }

  messageComplete(): this {
    this.#gate.release(this);
    return this;
  }

  /** RC4 with the session key, as hex. A `seed` must not repeat on a connection. */
  encrypt(seed: string, data: string): string {
    return this.connection.encrypt(seed, data);
  }

  /** Throws `bad-hex`. */
  decrypt(seed: string, hex: string): string {
    return this.connection.decrypt(seed, hex);
  }

  hash(seed: string, data: string): string {
    return this.connection.hash(seed, data);
  }

  /** @internal */
  deliver(text: string, message: JsonObject): void | Promise<void> {
    if (this.#hasFlowControl) this.#gate.hold(this);
    return this.#messageCallback(text, message);
  }

  /** @internal */
  ended(): unknown {
    this.#gate.release(this);
    return this.#closeCallback();
  }
}

/** @internal */
export type ApiObjectKind<T extends ApiObject> = new (api: string, connection: ServiceConnection, gate: Gate) => T;
