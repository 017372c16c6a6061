import type { JsonObject } from '../wire/envelope.ts';
import type { ApiName, Arguments, IndicationOf, MessageName, ResultOf } from './apis/index.ts';
import type { List, Requester, RequestOptions, SubscribeOptions } from './requester.ts';
import type { Subscription } from './subscription.ts';

/** An `api` value that {@link Apis} does not describe: its messages are plain objects. */
type OtherApi<A extends string> = A extends ApiName ? never : A;

/** Requests with typed messages, over any connection: both ends may ask (AW §1). `api` `""` means none. */
export abstract class ApiCaller {
  /** @internal */
  protected abstract readonly requester: Requester;

  /**
   * Sends a request and resolves with its `…Result`. Rejects with `request-refused` when the peer answers with an
   * error, `request-timeout`, `connection-lost`, `not-connected` or `aborted`.
   * @example const node = await session.request('PbxApi', 'GetNodeInfo');
   */
  request<A extends ApiName, M extends MessageName<A>>(
    api: A,
    mt: M,
    ...args: Arguments<A, M, RequestOptions>
  ): Promise<ResultOf<A, M>>;
  request<A extends string>(
    api: OtherApi<A>,
    mt: string,
    members?: JsonObject,
    options?: RequestOptions,
  ): Promise<JsonObject>;
  request(api: string, mt: string, members?: object, options?: RequestOptions): Promise<object> {
    return this.requester.request(api, mt, members as JsonObject, options);
  }

  /**
   * The same for requests whose indications precede the result.
   * @example const { items } = await session.list('PbxMessages', 'ReadChats', { topic: 'alice' });
   */
  list<A extends ApiName, M extends MessageName<A>>(
    api: A,
    mt: M,
    ...args: Arguments<A, M, RequestOptions>
  ): Promise<List<ResultOf<A, M>, IndicationOf<A, M>>>;
  list<A extends string>(api: OtherApi<A>, mt: string, members?: JsonObject, options?: RequestOptions): Promise<List>;
  list(api: string, mt: string, members?: object, options?: RequestOptions): Promise<List> {
    return this.requester.list(api, mt, members as JsonObject, options);
  }

  /**
   * Sends a request and iterates what is told under its `src` from then on, until the loop is left (which also
   * unsubscribes) or the connection ends.
   * @example for await (const told of session.subscribe('PbxApi', 'SubscribePresence', { sip: 'bob' })) …
   */
  subscribe<A extends ApiName, M extends MessageName<A>>(
    api: A,
    mt: M,
    ...args: Arguments<A, M, SubscribeOptions>
  ): Subscription<ResultOf<A, M>, IndicationOf<A, M>>;
  subscribe<A extends string>(
    api: OtherApi<A>,
    mt: string,
    members?: JsonObject,
    options?: SubscribeOptions,
  ): Subscription;
  subscribe(api: string, mt: string, members?: object, options?: SubscribeOptions): unknown {
    return this.requester.subscribe(api, mt, members as JsonObject, options);
  }

  /** All pages of an answer (AW §2 rule 4). */
  pages(api: string, mt: string, members?: JsonObject, options?: RequestOptions): AsyncGenerator<JsonObject> {
    return this.requester.pages(api, mt, members, options);
  }
}
