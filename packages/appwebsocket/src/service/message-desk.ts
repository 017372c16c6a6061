import type { FlowGate } from '../client/flow-gate.ts';
import type { PbxInfo } from '../wire/base-messages.ts';
import type { Envelope, JsonObject } from '../wire/envelope.ts';
import { answerText, followText, isAnswer, refusalText } from '../wire/envelope.ts';
import type { ApiObject } from './api-object.ts';
import type { ConnectionHost } from './connection-host.ts';
import { JsonApiConnection } from './json-api.ts';
import { PbxApiConnection } from './pbx-api.ts';
import { isPromise } from './promises.ts';
import type { ServiceConnection } from './service-connection.ts';
import type { Call, Handler } from './service-options.ts';
import { Refusal } from './service-options.ts';

type Gate = Pick<FlowGate<never>, 'hold' | 'release'>;

/** Gives the messages of one connection to those who take them, and keeps count of the work. */
export class MessageDesk {
  readonly #connection: ServiceConnection;
  readonly #host: ConnectionHost;
  readonly #gate: Gate;
  #objects: Map<string, ApiObject> | undefined;
  #abort: AbortController | undefined;
  #callsInWork = 0;
  #isClosed: boolean;

  constructor(connection: ServiceConnection, host: ConnectionHost, gate: Gate, isClosed: boolean) {
    this.#connection = connection;
    this.#host = host;
    this.#gate = gate;
    this.#isClosed = isClosed;
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#isClosed) this.#abort.abort();
    return this.#abort.signal;
  }

  attach(object: ApiObject): void {
    this.#objects ??= new Map();
    this.#objects.set(object.api, object);
  }

  detach(object: ApiObject): void {
    if (this.#objects?.get(object.api) === object) this.#objects.delete(object.api);
    this.#gate.release(object);
  }

  take(envelope: Envelope, text: string): void {
    const { api, message } = envelope;
    const object = api === undefined ? undefined : (this.#objects?.get(api) ?? this.#openJsonApi(api));
    if (object !== undefined) return this.#run(() => object.deliver(text, message));
    const handlers = this.#host.routes.handlers.get(api ?? '');
    const handler = handlers?.get(envelope.mt);
    if (handler !== undefined) return this.#work(handler, envelope);
    const { onMessage } = this.#host.options;
    if (onMessage !== undefined) return this.#run(() => onMessage(message, this.#connection));
    this.#refuse(envelope, handlers !== undefined);
  }

  /** Objects for the APIs that the PBX has switched on (AW §8.2). */
  onPbxInfo(info: PbxInfo): void {
    for (const api of info.apis) {
      const registered = this.#host.routes.pbxApis.get(api);
      if (registered === undefined || this.#objects?.has(api) === true) continue;
      const object = this.#connection.attach(api, PbxApiConnection);
      this.#run(() => registered.connected(object));
    }
    const { onPbx } = this.#host.options;
    // It may wait for answers on this very connection, so reading goes on.
    if (onPbx !== undefined) this.#run(() => void this.#settle(onPbx(this.#connection, info)));
  }

  /** The connection is gone. What it brought may still be delivered. */
  abort(): void {
    this.#isClosed = true;
    this.#abort?.abort();
  }

  close(): void {
    this.abort();
    for (const object of this.#objects?.values() ?? []) this.#run(() => object.ended());
    this.#objects = undefined;
  }

  #openJsonApi(api: string): ApiObject | undefined {
    const registered = this.#host.routes.jsonApis.get(api);
    if (registered === undefined) return undefined;
    const object = this.#connection.attach(api, JsonApiConnection);
    this.#run(() => registered.connected(object));
    return object;
  }

  /** AW §2 rule 5. What a PBX tells of an API of its own is not a request. */
  #refuse(envelope: Envelope, isKnownApi: boolean): void {
    if (envelope.api !== undefined && this.#connection.pbx?.apis.includes(envelope.api) === true) return;
    this.#answer(refusalText(envelope, isKnownApi ? 'unknown message' : 'not allowed'));
  }

  /** Runs a callback; a promise it returns holds reading back until it settles. */
  #run(callback: () => unknown): void {
    try {
      const promise = callback();
      if (!isPromise(promise)) return;
      const holder = {};
      this.#gate.hold(holder);
      void this.#settle(promise).then(() => this.#gate.release(holder));
    } catch (error) {
      this.#host.report(error);
    }
  }

  async #settle(promise: unknown): Promise<void> {
    try {
      await promise;
    } catch (error) {
      this.#host.report(error);
    }
  }

  #work(handler: Handler, envelope: Envelope): void {
    try {
      const result = handler(envelope.message, new CallInWork(this.#connection, envelope));
      if (isPromise(result)) this.#wait(Promise.resolve(result), envelope);
      else this.#finish(envelope, result);
    } catch (error) {
      this.#fail(envelope, error);
    }
  }

  /** Others of the peer's requests are begun meanwhile, up to the bound; then reading is held back. */
  #wait(result: Promise<object | void>, envelope: Envelope): void {
    if (++this.#callsInWork === this.#host.limits.callsInWork) this.#gate.hold(this);
    void result
      .then((members) => this.#finish(envelope, members))
      // Also where the answer is nothing that JSON can hold.
      .catch((error: unknown) => this.#fail(envelope, error))
      .finally(() => {
        if (this.#callsInWork-- === this.#host.limits.callsInWork) this.#gate.release(this);
      });
  }

  #finish(envelope: Envelope, members: object | void): void {
    if (members === undefined || isAnswer(envelope.mt)) return;
    this.#answer(answerText(envelope, members as JsonObject));
  }

  #fail(envelope: Envelope, error: unknown): void {
    const isRefusal = error instanceof Refusal;
    if (!isRefusal) this.#host.report(error);
    if (isAnswer(envelope.mt)) return;
    this.#answer(answerText(envelope, { error: isRefusal ? error.message : 'internal error' }));
  }

  /** The peer may have gone while the handler worked. */
  #answer(text: string | undefined): void {
    if (text !== undefined && this.#connection.isOpen) this.#connection.sendText(text);
  }
}

class CallInWork implements Call {
  readonly connection: ServiceConnection;
  readonly #envelope: Envelope;

  constructor(connection: ServiceConnection, envelope: Envelope) {
    this.connection = connection;
    this.#envelope = envelope;
  }

  get identity(): Call['identity'] {
    return this.connection.identity;
  }

  get mt(): string {
    return this.#envelope.mt;
  }

  get api(): string | undefined {
    return this.#envelope.api;
  }

  get src(): unknown {
    return this.#envelope.src;
  }

  get signal(): AbortSignal {
    return this.connection.signal;
  }

  tell(mt: string, members: JsonObject = {}): void {
    this.connection.sendText(followText(this.#envelope, mt, members));
  }
}
