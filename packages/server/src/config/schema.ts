import { Type, type Static } from 'typebox';
import { bound, choice, count, flag, list, maybeText, text } from './kinds.ts';
import { tapiSchema } from './tapi-schema.ts';

const port = { min: 0, max: 65_535 } as const;

/** One of several addresses to listen on. */
const listenItem = Type.Object({
  host: text('Address to listen on.', '127.0.0.1', { expects: 'an address or host name' }),
  port: count('Port; 0 picks a free one.', 8_080, port),
  tls: Type.Optional(
    Type.Object({
      cert: text('PEM file with the certificate chain.', '', { expects: 'a path' }),
      key: text('PEM file with the private key.', '', { expects: 'a path' }),
    }),
  ),
});

const limits = Type.Object({
  headerBytes: bound(
    'Request line and header fields together: credentials, cookies and a long URL fit; nothing honest needs more.',
    16_384,
    { min: 1_024, max: 1_048_576, peer: '431', test: 'http: header fields over the bound' },
  ),
  headersTimeoutMs: bound(
    'Time until the header fields are complete, from the opening of the socket or the first byte of a later request; for the TLS handshake as well.',
    15_000,
    { min: 100, peer: '408, or the connection ends', test: 'http: a client that sends' },
  ),
  requestTimeoutMs: bound('Time for a whole request with its body: 50 MB of upload at 1.4 Mbit/s.', 300_000, {
    min: 100,
    peer: '408',
    test: 'http: a client that sends',
  }),
  keepAliveMs: bound(
    'How long an idle connection is kept: longer than the 60 s of common proxies, so that the proxy closes first and no request is lost.',
    65_000,
    { min: 0, peer: 'the connection ends', test: 'http: an idle connection ends' },
  ),
  timeoutCheckMs: count('How often overdue requests are looked for.', 5_000, { min: 10 }),
  bodyBytes: bound(
    'Largest body, unless a route says otherwise: a message, its data and escaping fit many times.',
    262_144,
    {
      min: 1_024,
      peer: '413',
      test: 'http: a body over the bound',
    },
  ),
  sockets: bound('All sockets together: about 10 KB each when idle.', 50_000, {
    min: 1,
    peer: 'the connection ends at once',
    test: 'http: trusted proxies are exempt',
  }),
  socketsPerAddress: bound(
    'Sockets of one address: an office behind one NAT, or a load test on one machine. Trusted proxies are exempt.',
    10_000,
    { min: 1, peer: 'the connection ends at once', test: 'http: sockets over the total' },
  ),
  lobby: bound('Connections that have not logged in yet.', 20_000, {
    min: 1,
    peer: '503, or closed with 1013',
    test: 'lobby: places are bounded',
  }),
  lobbyPerAddress: bound("The same, of one address: half, so that one alone can't keep everybody else out.", 10_000, {
    min: 1,
    peer: '503, or closed with 1013',
    test: 'lobby: places are bounded',
  }),
  loginTimeoutMs: bound('Time to log in: clients have the password before they connect.', 60_000, {
    min: 100,
    peer: 'closed',
    test: 'lobby: the time to log in',
  }),
});

const http = Type.Object({
  host: text('Address to listen on.', '127.0.0.1', { env: ['HOST'], expects: 'an address or host name' }),
  port: count('Port; 0 picks a free one.', 8_080, { ...port, env: ['PORT'] }),
  tls: Type.Object({
    cert: maybeText('PEM file with the certificate chain; with it the listener speaks TLS.', { expects: 'a path' }),
    key: maybeText('PEM file with the private key.', { expects: 'a path' }),
  }),
  listen: Type.Array(listenItem, {
    default: [],
    description:
      'Several listeners, each with host, port and, for TLS, tls.cert and tls.key. In place of the three above.',
    expects: 'a list of {host, port, tls}',
  }),
  names: list('Names under which clients reach this server; `*.example.com` covers subdomains.', [], {
    expects: 'a list of host names',
    pattern: '^(\\*\\.)?[A-Za-z0-9._:\\[\\]-]+$',
  }),
  publicUrl: maybeText('URL under which clients reach this server; without it the name that each request came by.', {
    expects: 'a URL such as https://chat.example.com',
    pattern: '^https?://[^/]+(/.*)?$',
  }),
  allowedOrigins: list(
    'Origins whose pages may use the APIs with credentials, besides its own; `*`: any, without.',
    [],
    {
      expects: 'a list of origins such as https://app.example.com, or *',
      pattern: '^(\\*|https?://[^/]+)$',
    },
  ),
  trustProxy: list('Proxies whose X-Forwarded-… count: addresses, ranges, or `loopback`.', [], {
    expects: 'a list of addresses, ranges such as 10.0.0.0/8, or loopback',
    pattern: '^(loopback|[0-9a-fA-F:.]+(/\\d{1,3})?)$',
  }),
  drainMs: count('How long connections may take to end when the server stops.', 2_500, { max: 600_000 }),
  limits,
});

const bucket = (what: string, burst: number, refillMs: number, test: string) =>
  Type.Object({
    burst: bound(`Failed logins ${what} before further ones are refused.`, burst, {
      min: 1,
      peer: '429 with Retry-After, ERROR, or a refused login, until the time is over',
      test,
    }),
    refillMs: count('Time after which one more is allowed.', refillMs, { min: 1 }),
  });

/** Every setting: names, kinds, defaults, words. The documentation is made from it. */
export const settingsSchema = Type.Object({
  demo: flag(
    'The demo world: fixed users and passwords, on loopback only. On where neither TIELINE_CONFIG nor TIELINE_DATABASE_URL is given.',
    false,
  ),
  data: text('Folder for everything kept on this machine.', 'data', { expects: 'a path' }),
  domain: maybeText(
    'The domain of users, rooms and workgroups. Default: the first of http.names, else localhost; example.test in the demo.',
    {
      expects: 'a domain such as chat.example.com',
      pattern: '^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$',
    },
  ),
  secretKey: list(
    'Keys that seal stored secrets. The first seals, all open. Required on PostgreSQL; on SQLite a key file is made where none is given.',
    [],
    {
      expects: '32 bytes in base64; several, separated by commas, while a key is being replaced',
      pattern: '^[A-Za-z0-9+/]{43}=$',
      isSecret: true,
    },
  ),
  database: Type.Object({
    url: maybeText('The store. Default: tieline.db in the data folder.', {
      expects: 'sqlite:<path> or postgres://user:password@host/name',
      pattern: '^(sqlite:.|postgres(ql)?://.)',
      isSecret: true,
    }),
  }),
  bus: Type.Object({
    url: maybeText('The bus between nodes: NATS, several servers of it separated by commas. Default: none, one node.', {
      expects: 'nats://user:password@host:port, nats://token@host:port, or tls://… for TLS',
      pattern: '^(nats|tls)://.',
      isSecret: true,
    }),
    tls: Type.Object({
      ca: maybeText("PEM file with the authority of NATS' certificates. Default: the system's authorities.", {
        expects: 'a path',
      }),
      cert: maybeText('PEM file with the certificate by which this node shows who it is.', { expects: 'a path' }),
      key: maybeText('PEM file with its private key.', { expects: 'a path' }),
    }),
  }),
  cluster: Type.Object({
    name: text('Nodes of one cluster have the same; several clusters may share a NATS.', 'tieline', {
      expects: 'letters, digits, - and _',
      pattern: '^[A-Za-z0-9_-]{1,64}$',
    }),
    address: maybeText(
      "Where the other nodes reach this one's HTTP. Default: the first listener; needed where that listens on all addresses.",
      { expects: 'a URL such as http://10.0.0.2:8080', pattern: '^https?://[^/]+/?$' },
    ),
    ca: maybeText("PEM file with the authority of the nodes' certificates, for addresses with https.", {
      expects: 'a path',
    }),
  }),
  blobs: Type.Object({
    url: maybeText('Where files are kept, shared by all nodes. Default: blobs in the data folder.', {
      expects: 'file:///path or s3://bucket',
      pattern: '^(file:///|s3://.)',
      isSecret: true,
    }),
  }),
  journal: Type.Object({
    keepDays: count('How long a client may be away and still get all it missed without a resync.', 7, {
      min: 1,
      max: 3_650,
    }),
  }),
  delivery: Type.Object({
    slowReaderMs: bound(
      'How long a client may leave unread what it was sent before its connection is closed.',
      10_000,
      {
        min: 100,
        max: 600_000,
        peer: 'the connection ends; it comes back with its position',
        test: 'appws-faults: a reader that stops reading',
      },
    ),
    sessionsPerUser: count('Live sessions that one user may have: tabs, devices, forgotten scripts.', 100, {
      min: 1,
      max: 100_000,
    }),
  }),
  presence: Type.Object({
    lingerMs: count(
      'How long a session whose connection broke still counts as present: whoever is back by then was never seen to go. 0: not at all.',
      10_000,
      { min: 0, max: 600_000 },
    ),
  }),
  http,
  sip: Type.Object({
    host: text('Address for SIP.', '127.0.0.1', { expects: 'an address or host name' }),
    port: count('UDP and TCP port for SIP; 0 picks a free one.', 5_060, { ...port, env: ['SIP_PORT'] }),
  }),
  login: Type.Object({
    perAccount: bucket('of one address on one account', 10, 5_000, 'secrets: failed logins are counted'),
    perAddress: bucket('of one address', 100, 100, 'secrets: failed logins are counted'),
  }),
  chatApi: Type.Object({
    secret: maybeText('Shared secret of trusted servers on the REST API.', { isSecret: true }),
  }),
  metrics: Type.Object({
    allow: list('Who may read /metrics: addresses, ranges, or `loopback`.', ['loopback'], {
      expects: 'a list of addresses, ranges such as 10.0.0.0/8, or loopback',
      pattern: '^(loopback|[0-9a-fA-F:.]+(/\\d{1,3})?)$',
    }),
    token: maybeText('Or: whoever sends it as a bearer token.', { isSecret: true }),
  }),
  log: Type.Object({
    level: choice('From which importance on lines are written.', ['debug', 'info', 'warn', 'error', 'silent'], 'info'),
    format: choice(
      '`json`, one object a line; `human` for eyes; `auto`: human in the demo.',
      ['auto', 'json', 'human'],
      'auto',
    ),
    maskNumbers: flag('Show only the last two digits of telephone numbers.', false),
  }),
  tapi: tapiSchema,
});

export type Settings = Static<typeof settingsSchema>;
