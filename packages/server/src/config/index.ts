export type { BlobSettings, BusSettings, Config, DatabaseSettings, ListenSettings } from './config.ts';
