export { MAX_CACHED_NAMES, cachedResolver } from './cached-resolver.ts';
export type { CachedResolverOptions } from './cached-resolver.ts';
export { MAX_TARGETS, locate, locateReply, tryEach } from './locate.ts';
export type { LocateOptions } from './locate.ts';
export { nodeResolver } from './node-resolver.ts';
export type { NodeResolverOptions } from './node-resolver.ts';
export { orderNaptr, orderSrv, srvName } from './order.ts';
export { DnsFailure } from './records.ts';
export type { DnsFailureCode, NaptrRecord, Resolver, SrvRecord } from './records.ts';
