import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../http/index.ts';
import { settingsDocument } from './document.ts';
import { ConfigError, loadConfig } from './load.ts';
import { settingsSchema } from './schema.ts';
import { settingsOf } from './settings.ts';

const KEY = Buffer.alloc(32, 7).toString('base64');

function load(env: Record<string, string>, file?: string) {
  const all = file === undefined ? env : { TIELINE_CONFIG: '/etc/tieline.yaml', ...env };
  return loadConfig({
    env: all,
    cwd: '/srv',
    readFile: (path) => {
      if (path !== '/etc/tieline.yaml' || file === undefined) throw new Error(`no such file: ${path}`);
      return file;
    },
  });
}

function problemsOf(env: Record<string, string>, file?: string): readonly string[] {
  try {
    load(env, file);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

test('nothing given is the demo world on loopback', () => {
  const config = load({});
  expect(config).toMatchObject({
    demo: true,
    data: '/srv/data',
    domain: 'example.test',
    database: { kind: 'sqlite', file: '/srv/data/tieline.db' },
    bus: { kind: 'memory' },
    blobs: { kind: 'disk', folder: '/srv/data/blobs' },
    chatApi: { secret: 'demo-secret' },
    sip: { port: 5060 },
    log: { format: 'human' },
    tapi: { server: null },
  });
  expect(config.http.listen).toEqual([{ host: '127.0.0.1', port: 8080 }]);
  expect(Object.isFrozen(config.http.limits)).toBe(true);
});

test.each([
  [{ TIELINE_DATABASE_URL: 'sqlite:/var/t.db' }, undefined, false],
  [{ TIELINE_DATABASE_URL: 'sqlite:/var/t.db', TIELINE_DEMO: '1' }, undefined, true],
  [{}, 'data: /var', false],
  [{}, 'demo: true', true],
  [{ TIELINE_DEMO: '0' }, undefined, false],
  [{ TIELINE_DEMO: '1' }, 'demo: false', true],
])('whether it is the demo: %j %s', (env, file, demo) => {
  expect(load(env, file).demo).toBe(demo);
});

test('the fixed names', () => {
  const config = load({
    TIELINE_DATABASE_URL: 'postgres://u:p@db/t',
    TIELINE_BUS_URL: 'nats://n:4222',
    TIELINE_BLOBS_URL: 'file:///shared',
    TIELINE_SECRET_KEY: `${KEY},${Buffer.alloc(32, 8).toString('base64')}`,
    TIELINE_DATA: '/var/lib/t',
    PORT: '0',
    HOST: '::1',
    SIP_PORT: '0',
    TIELINE_DEMO: '1',
    TIELINE_TAPI_SERVER: 'pbx:5000',
  });
  expect(config).toMatchObject({
    demo: true,
    data: '/var/lib/t',
    database: { kind: 'postgres', url: 'postgres://u:p@db/t' },
    bus: { kind: 'nats', url: 'nats://n:4222', tls: { ca: null, cert: null, key: null } },
    cluster: { name: 'tieline', address: null, ca: null },
    blobs: { kind: 'disk', folder: '/shared' },
    sip: { port: 0 },
    tapi: { server: { host: 'pbx', port: 5000 } },
  });
  expect(config.secretKeys.map((key) => [key.length, key[0]])).toEqual([
    [32, 7],
    [32, 8],
  ]);
  expect(config.http.listen).toEqual([{ host: '::1', port: 0 }]);
});

test('the environment wins over the file, member by member', () => {
  const file = 'http: { port: 9000, limits: { sockets: 10, lobby: 5 }, allowedOrigins: ["https://a.example"] }';
  const { http } = load({ TIELINE_HTTP_LIMITS_SOCKETS: '20', TIELINE_HTTP_TRUST_PROXY: 'loopback, 10.0.0.0/8' }, file);
  expect(http.listen[0].port).toBe(9000);
  expect(http.limits).toMatchObject({ sockets: 20, lobby: 5 });
  expect(http.allowedOrigins).toEqual(['https://a.example']);
  expect(http.trustProxy).toEqual(['loopback', '10.0.0.0/8']);
});

test('several listeners, one with TLS', () => {
  const listen = '[{host: 0.0.0.0, port: 443, tls: {cert: c.pem, key: k.pem}}, {port: 8080}]';
  expect(load({ TIELINE_HTTP_LISTEN: listen, TIELINE_DEMO: '0' }).http.listen).toEqual([
    { host: '0.0.0.0', port: 443, tls: { cert: 'c.pem', key: 'k.pem' } },
    { host: '127.0.0.1', port: 8080 },
  ]);
});

test('all that is wrong is said at once, by key and expectation', () => {
  const problems = problemsOf(
    { TIELINE_HTTP_PORT: 'x', TIELINE_FOO: '1', TIELINE_DEMO: '1', HOST: '0.0.0.0', TIELINE_SECRET_KEY: 'hunter2' },
    'http: { prot: 5, limits: 7 }\nsip: { port: "5060", host: 192.0.2.1 }\nlog: { level: loud }',
  );
  expect(problems).toEqual([
    'TIELINE_FOO: no such setting; docs/configuration.md lists them all',
    'secretKey: expected 32 bytes in base64; several, separated by commas, while a key is being replaced (from TIELINE_SECRET_KEY)',
    expect.stringMatching(/^http\.prot: no such setting; here are host, port/),
    'http.port: expected a whole number from 0 to 65535, got "x" (from TIELINE_HTTP_PORT)',
    expect.stringMatching(/^http\.limits: expected settings \(headerBytes, .*\), got 7$/),
    'sip.port: expected a whole number from 0 to 65535, got "5060"',
    'log.level: expected one of debug, info, warn, error, silent, got "loud"',
    'http.host: expected a loopback address in the demo world, got "0.0.0.0"',
    'sip.host: expected a loopback address in the demo world, got "192.0.2.1"',
  ]);
});

test.each<[string, Record<string, string>, string | undefined, RegExp]>([
  ['demo on a second listener', { TIELINE_DEMO: '1' }, 'http: { listen: [{}, { host: "::" }] }', /listen\[1\]\.host/],
  ['postgres without key', { TIELINE_DATABASE_URL: 'postgres://a/b' }, undefined, /^secretKey: .*PostgreSQL/],
  ['postgres without shared blobs', { TIELINE_DATABASE_URL: 'postgres://a/b' }, undefined, /^blobs\.url/],
  ['a store that there is not', { TIELINE_DATABASE_URL: 'mysql://a/b' }, undefined, /^database\.url: expected sqlite:/],
  ['half a certificate', {}, 'http: { tls: { cert: a.pem } }', /^http\.tls\.key: expected a path/],
  ['port beside listen', { PORT: '80' }, 'http: { listen: [{}] }', /^http\.port: .*http\.listen/],
  ['two names, two values', { PORT: '80', TIELINE_HTTP_PORT: '81' }, undefined, /TIELINE_HTTP_PORT and PORT say/],
  ['an unreadable file', { TIELINE_CONFIG: '/nowhere' }, undefined, /^TIELINE_CONFIG: .*no such file/],
  ['broken YAML', {}, 'http: {', /^\/etc\/tieline\.yaml: /],
  ['a list for a file', {}, '- 1', /expected settings/],
  ['a proxy range', {}, 'http: { trustProxy: [10.0.0.0/99] }', /^http\.trustProxy: .*10\.0\.0\.0\/99/],
  ['an SQL lookup without query', {}, 'tapi: { lookup: { adapter: sql } }', /^tapi\.lookup\.sql\.query/],
  ['a TapiServer without host', { TIELINE_TAPI_SERVER: ':1' }, undefined, /^tapi\.host: .*host:port/],
  ['static logins without any', {}, 'tapi: { auth: { mode: static } }', /^tapi\.auth\.users/],
  ['a Kubernetes port', { TIELINE_HTTP_PORT: 'tcp://10.0.0.1:80' }, undefined, /^http\.port: .*TIELINE_HTTP_PORT/],
])('refused: %s', (_what, env, file, message) => {
  expect(problemsOf(env, file).some((p) => message.test(p))).toBe(true);
});

test('secrets are never repeated', () => {
  const secret = 'https://root:hunter2@db';
  const env = { TIELINE_DATABASE_URL: secret, TIELINE_BUS_URL: secret, TIELINE_BLOBS_URL: secret };
  expect(problemsOf({ ...env, TIELINE_SECRET_KEY: 'hunter2', TIELINE_TAPI_AUTH_USERS: '["hunter2"]' })).toHaveLength(5);
  expect(problemsOf({ ...env, TIELINE_SECRET_KEY: 'hunter2' }).join()).not.toContain('hunter2');
});

test("what Kubernetes adds for a service of this name is no setting, and empty variables aren't either", () => {
  const env = { TIELINE_PORT: 'tcp://10.0.0.1:80', TIELINE_SERVICE_HOST: '10.0.0.1', TIELINE_PORT_80_TCP_ADDR: '1' };
  expect(problemsOf({ ...env, PORT: '', TIELINE_LOG_LEVEL: ' ' })).toEqual([]);
});

test('no two settings share a name in the environment', () => {
  const names = settingsOf(settingsSchema).flatMap((setting) => setting.env);
  expect(new Set(names).size).toBe(names.length);
});

test('the documented limits are the ones that hold', () => {
  expect(load({}).http.limits).toEqual(DEFAULT_LIMITS);
});

test('docs/configuration.md is current (node packages/server/src/config/write-document.ts)', () => {
  const file = new URL('../../../../docs/configuration.md', import.meta.url);
  expect(readFileSync(file, 'utf8')).toBe(settingsDocument());
});

test('several nodes: an address that others can use, a name that fits a subject, TLS files in pairs', () => {
  const nats = { TIELINE_BUS_URL: 'nats://n', TIELINE_DATABASE_URL: 'sqlite:/t.db' };
  expect(problemsOf({ ...nats, HOST: '10.0.0.1' })).toEqual([]);
  expect(problemsOf({ ...nats, HOST: '0.0.0.0' })).toEqual([
    'cluster.address: expected the URL by which other nodes reach this one, for it listens on 0.0.0.0',
  ]);
  expect(problemsOf({ ...nats, HOST: '::', TIELINE_CLUSTER_ADDRESS: 'http://10.0.0.1:8080' })).toEqual([]);
  expect(problemsOf({ ...nats, TIELINE_CLUSTER_NAME: 'a.b', TIELINE_CLUSTER_ADDRESS: '10.0.0.1' })).toEqual([
    'cluster.name: expected letters, digits, - and _, got "a.b" (from TIELINE_CLUSTER_NAME)',
    'cluster.address: expected a URL such as http://10.0.0.2:8080, got "10.0.0.1" (from TIELINE_CLUSTER_ADDRESS)',
  ]);
  expect(problemsOf({ ...nats, TIELINE_BUS_TLS_CERT: '/c' })).toEqual([
    'bus.tls.key: expected a path, for the other of the pair is given',
  ]);
});
