import { BlockList, isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BlobSettings, BusSettings, Config, DatabaseSettings, ListenSettings } from './config.ts';
import type { Settings } from './schema.ts';

export interface ResolveContext {
  readonly cwd: string;
  /** Whether anybody set this key. */
  readonly isGiven: (key: string) => boolean;
  readonly problem: (text: string) => void;
}

const DEMO_DOMAIN = 'example.test';
const DEMO_SECRET = 'demo-secret';

/** Checked settings → what can be used as it is; rules between several settings are checked here. */
export function resolveSettings(settings: Settings, context: ResolveContext): Config {
  const { cwd, problem } = context;
  const data = resolve(cwd, settings.data);
  const { host, port, tls, listen: several, ...http } = settings.http;
  const listen = listeners({ host, port, tls, several }, context);
  const database = databaseOf(settings.database.url, data, cwd);
  const { secretKey, ...plain } = settings;
  const { host: tapiHost, port: tapiPort, ...tapi } = settings.tapi;
  if (database.kind === 'postgres') needsOfPostgres(settings, problem);
  needsOfSeveralNodes(settings, listen, problem);
  if (settings.demo) loopbackOnly(listen, settings, context);
  checkRanges('http.trustProxy', http.trustProxy, problem);
  checkRanges('metrics.allow', settings.metrics.allow, problem);
  needsOfTapi(settings, problem);
  return {
    ...plain,
    data,
    domain: settings.domain ?? (settings.demo ? DEMO_DOMAIN : (http.names.find((n) => isDomain(n)) ?? 'localhost')),
    secretKeys: secretKey.map((key) => Uint8Array.from(Buffer.from(key, 'base64'))),
    secretKeyFile: join(data, 'secret.key'),
    database,
    bus: busOf(settings.bus),
    blobs: blobsOf(settings.blobs.url, data),
    chatApi: { secret: settings.chatApi.secret ?? (settings.demo ? DEMO_SECRET : null) },
    http: { ...http, listen },
    log: {
      ...settings.log,
      format: settings.log.format === 'auto' ? (settings.demo ? 'human' : 'json') : settings.log.format,
    },
    tapi: { ...tapi, server: tapiHost === null ? null : { host: tapiHost, port: tapiPort } },
  };
}

function isDomain(name: string): boolean {
  return /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(name) && isIP(name) === 0;
}

interface ListenInput {
  readonly host: string;
  readonly port: number;
  readonly tls: Settings['http']['tls'];
  readonly several: Settings['http']['listen'];
}

function listeners(input: ListenInput, { isGiven, problem }: ResolveContext): Config['http']['listen'] {
  const [first, ...others] = input.several;
  if (first !== undefined) {
    for (const key of ['http.host', 'http.port', 'http.tls.cert', 'http.tls.key'])
      if (isGiven(key)) problem(`${key}: expected no value where http.listen is given; put it there`);
    return [first, ...others];
  }
  const { cert, key } = input.tls;
  if ((cert === null) !== (key === null))
    problem(`http.tls.${cert === null ? 'cert' : 'key'}: expected a path, for the other of the pair is given`);
  const plain: ListenSettings = { host: input.host, port: input.port };
  return [cert === null || key === null ? plain : { ...plain, tls: { cert, key } }];
}

function databaseOf(url: string | null, data: string, cwd: string): DatabaseSettings {
  if (url === null) return { kind: 'sqlite', file: join(data, 'tieline.db') };
  if (!url.startsWith('sqlite:')) return { kind: 'postgres', url };
  const path = url.slice('sqlite:'.length).replace(/^\/\//, '');
  return { kind: 'sqlite', file: path === ':memory:' ? path : resolve(cwd, path) };
}

function busOf({ url, tls }: Settings['bus']): BusSettings {
  return url === null ? { kind: 'memory' } : { kind: 'nats', url, tls };
}

function blobsOf(url: string | null, data: string): BlobSettings {
  if (url === null) return { kind: 'disk', folder: join(data, 'blobs') };
  return url.startsWith('file:') ? { kind: 'disk', folder: fileURLToPath(url) } : { kind: 's3', url };
}

/** Several nodes may share a PostgreSQL: nothing that they must agree on may lie on one machine (design §5). */
function needsOfPostgres(settings: Settings, problem: (text: string) => void): void {
  if (settings.secretKey.length === 0)
    problem('secretKey: expected 32 bytes in base64, for the store is PostgreSQL (make one: openssl rand -base64 32)');
  if (settings.blobs.url === null)
    problem('blobs.url: expected file:///path (shared by all nodes) or s3://bucket, for the store is PostgreSQL');
}

function needsOfSeveralNodes(
  { bus, cluster }: Settings,
  [{ host }]: Config['http']['listen'],
  problem: (text: string) => void,
): void {
  if ((bus.tls.cert === null) !== (bus.tls.key === null))
    problem(`bus.tls.${bus.tls.cert === null ? 'cert' : 'key'}: expected a path, for the other of the pair is given`);
  if (bus.url !== null && cluster.address === null && ['0.0.0.0', '::'].includes(host))
    problem(`cluster.address: expected the URL by which other nodes reach this one, for it listens on ${host}`);
}

/** The demo's passwords are known to everybody: it never listens where others could reach it (design §9). */
function loopbackOnly(listen: readonly ListenSettings[], settings: Settings, context: ResolveContext): void {
  const several = settings.http.listen.length > 0;
  listen.forEach(({ host }, i) => {
    const key = several ? `http.listen[${i}].host` : 'http.host';
    if (!isLoopback(host)) context.problem(`${key}: expected a loopback address in the demo world, got "${host}"`);
  });
  if (!isLoopback(settings.sip.host))
    context.problem(`sip.host: expected a loopback address in the demo world, got "${settings.sip.host}"`);
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function checkRanges(key: string, entries: readonly string[], problem: (text: string) => void): void {
  for (const entry of entries)
    if (entry !== 'loopback' && !isRange(entry))
      problem(`${key}: expected addresses, ranges such as 10.0.0.0/8, or loopback, got "${entry}"`);
}

function isRange(entry: string): boolean {
  const [address = '', bits] = entry.split('/');
  const family = isIP(address);
  if (family === 0) return false;
  try {
    new BlockList().addSubnet(address, Number(bits ?? 0), family === 6 ? 'ipv6' : 'ipv4');
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function needsOfTapi({ tapi }: Settings, problem: (text: string) => void): void {
  const { lookup, auth } = tapi;
  const need = (key: string, value: string | null, expects: string): void => {
    if (value === null)
      problem(`tapi.lookup.${key}: expected ${expects}, for tapi.lookup.adapter is ${lookup.adapter}`);
  };
  if (lookup.adapter === 'file') need('file.path', lookup.file.path, 'a path');
  if (lookup.adapter === 'http') need('http.url', lookup.http.url, 'a URL with {session}');
  if (lookup.adapter === 'sql') {
    need('sql.url', lookup.sql.url, 'the URL of a database');
    need('sql.query', lookup.sql.query, 'an SQL statement with the bind :s');
  }
  if (auth.mode === 'static' && Object.keys(auth.users).length === 0)
    problem('tapi.auth.users: expected logins and passcodes, for tapi.auth.mode is static');
}
