import type { JsonApi } from './json-api.ts';
import type { PbxApi } from './pbx-api.ts';
import type { Handlers } from './service-options.ts';

/** Who takes which message: what a program has registered at its service. */
export class Routes {
  /** Handlers by `api`; those of messages without `api` under `""`. */
  readonly handlers = new Map<string, ReadonlyMap<string, Handlers[string]>>();
  readonly jsonApis = new Map<string, JsonApi>();
  readonly pbxApis = new Map<string, PbxApi>();

  addHandlers(api: string, handlers: Handlers): void {
    const known = this.handlers.get(api) ?? new Map<string, Handlers[string]>();
    for (const mt of Object.keys(handlers)) {
      if (known.has(mt)) throw new TypeError(`${api === '' ? '' : `${api} `}${mt} has a handler already`);
    }
    this.handlers.set(api, new Map([...known, ...Object.entries(handlers)]));
  }

  addJsonApi(api: JsonApi): void {
    if (this.jsonApis.has(api.id)) throw new TypeError(`JsonApi ${api.id} is there already`);
    this.jsonApis.set(api.id, api);
  }

  addPbxApi(api: PbxApi): void {
    if (this.pbxApis.has(api.id)) throw new TypeError(`PbxApi ${api.id} is there already`);
    this.pbxApis.set(api.id, api);
  }
}
