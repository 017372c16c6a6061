import { ApiObject } from './api-object.ts';

/** A user of an API that this service provides (AW §8.2). */
export class JsonApiConnection extends ApiObject {
  override get domain(): string {
    return this.connection.identity.domain;
  }

  get sip(): string {
    return this.connection.identity.sip;
  }

  get dn(): string {
    return this.connection.identity.dn;
  }

  get guid(): string {
    return this.connection.identity.guid;
  }

  get app(): string {
    return this.connection.identity.app;
  }

  /** The user has no licence for the app (AW §3.5). */
  get unlicensed(): boolean {
    return this.connection.identity.info?.['unlicensed'] === true;
  }

  /** Service licences of the App object; 0 where the login names none. */
  get lics(): number {
    const lics = this.connection.identity.info?.['lics'];
    return typeof lics === 'number' ? lics : 0;
  }
}

/**
 * An API that this service provides, message by message. For requests and answers `service.api()` is shorter.
 * @example service.use(new JsonApi('com.acme.news').onconnected((conn) => conn.onmessage((text) => conn.send(text))));
 */
export class JsonApi {
  readonly id: string;
  /** @internal */
  connected: (connection: JsonApiConnection) => void = () => undefined;

  constructor(id: string) {
    this.id = id;
  }

  /** Once a connection, with its first message of this API, which is delivered then. */
  onconnected(callback: (connection: JsonApiConnection) => void): this {
    this.connected = callback;
    return this;
  }
}
