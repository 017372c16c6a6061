export type { BlobSettings, BusSettings, Config, DatabaseSettings, ListenSettings } from './config.ts';
export { ConfigError, loadConfig, type ConfigSources } from './load.ts';
