import type { Settings } from './schema.ts';

type DeepReadonly<T> = T extends readonly (infer I)[]
  ? readonly DeepReadonly<I>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

type Plain = DeepReadonly<Settings>;

export interface ListenSettings {
  readonly host: string;
  readonly port: number;
  readonly tls?: { readonly cert: string; readonly key: string };
}

export type DatabaseSettings =
  { readonly kind: 'sqlite'; readonly file: string } | { readonly kind: 'postgres'; readonly url: string };
export type BusSettings =
  { readonly kind: 'memory' } | { readonly kind: 'nats'; readonly url: string; readonly tls: Plain['bus']['tls'] };
export type BlobSettings =
  { readonly kind: 'disk'; readonly folder: string } | { readonly kind: 's3'; readonly url: string };

/** All settings, checked and resolved: what stands here can be used as it is. Frozen. */
export interface Config extends Omit<
  Plain,
  'domain' | 'secretKey' | 'database' | 'bus' | 'blobs' | 'http' | 'tapi' | 'log'
> {
  /** Absolute path. */
  readonly data: string;
  readonly domain: string;
  /** 32 bytes each, the first seals. Empty only on SQLite: then the key file counts. */
  readonly secretKeys: readonly Uint8Array[];
  /** The key file of SQLite stores without `secretKeys`; made where it is missing. */
  readonly secretKeyFile: string;
  readonly database: DatabaseSettings;
  readonly bus: BusSettings;
  readonly blobs: BlobSettings;
  readonly http: Omit<Plain['http'], 'host' | 'port' | 'tls' | 'listen'> & {
    /** At least one. */
    readonly listen: readonly [ListenSettings, ...ListenSettings[]];
  };
  readonly log: Omit<Plain['log'], 'format'> & { readonly format: 'json' | 'human' };
  readonly tapi: Omit<Plain['tapi'], 'host' | 'port'> & {
    /** Null: the built-in exchange switches all calls. */
    readonly server: { readonly host: string; readonly port: number } | null;
  };
}
