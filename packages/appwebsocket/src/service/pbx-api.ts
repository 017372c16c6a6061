import type { PbxInfo } from '../wire/base-messages.ts';
import { ApiObject } from './api-object.ts';

/** An API of a PBX that has connected to this service (AW §8.2): the service asks, the PBX answers. */
export class PbxApiConnection extends ApiObject {
  /** Name of the PBX node. */
  get pbx(): string {
    return this.#told.pbx;
  }

  get pbxDns(): string {
    return this.#told.pbxDns;
  }

  get version(): string {
    return this.#told.version ?? '';
  }

  get build(): string {
    return this.#told.build ?? '';
  }

  get remoteAddr(): string {
    return this.connection.remoteAddress;
  }

  /** The header `X-Forwarded-For` of the connection; `""` where there was none. */
  get forwardedFor(): string {
    return this.connection.forwardedFor;
  }

  /** An object for another `api` value on the same socket, such as `PbxApi.0` of PbxImpersonation (AW §7.3). */
  create(targetApi: string): PbxApiConnection {
    return this.connection.attach(targetApi, PbxApiConnection);
  }

  /** Detaches: nothing arrives here any more. The socket stays. */
  close(): void {
    this.connection.detach(this);
  }

  get #told(): PbxInfo {
    return this.connection.pbx ?? { domain: '', pbx: '', pbxDns: '', apis: [] };
  }
}

/**
 * Waits for PBXs that provide an API to this service.
 * @example service.use(new PbxApi('PbxSignal').onconnected((conn) => conn.send('{"api":"PbxSignal","mt":"Register"}')));
 */
export class PbxApi {
  readonly id: string;
  /** @internal */
  connected: (connection: PbxApiConnection) => void = () => undefined;

  constructor(id: string) {
    this.id = id;
  }

  /** Once a connection whose `PbxInfo` names the API. */
  onconnected(callback: (connection: PbxApiConnection) => void): this {
    this.connected = callback;
    return this;
  }
}
