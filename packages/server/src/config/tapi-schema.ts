import { Type } from 'typebox';
import { bound, choice, count, flag, list, maybeText, table, text } from './kinds.ts';

/** The keys of the Tapi Messenger surface and its TapiServer (TM §1), below `tapi`. */
export const tapiSchema = Type.Object({
  host: maybeText(
    'Host of the TapiServer that switches the calls. Without it calls go through the built-in exchange.',
    {
      expects: 'a host name or address',
    },
  ),
  port: count('Port of the TapiServer.', 44_444, { min: 1, max: 65_535 }),
  reconnectMs: count('Wait between two attempts to reach the TapiServer.', 3_000, { min: 10, max: 600_000 }),
  connectTimeoutMs: count('How long one attempt may take.', 3_000, { min: 10, max: 600_000 }),
  framing: choice('How frames are delimited towards the TapiServer.', ['len32le', 'line'], 'len32le'),
  maxOutBytes: count('Largest payload sent to the TapiServer.', 252, { min: 64, max: 65_535 }),
  resync: choice('What is written after a reconnect for each number listened to.', ['listen', 'stop-listen'], 'listen'),
  sockjs: Type.Object({
    prefix: text('Path under which SockJS lives.', '/tapi-messenger', {
      expects: 'a path such as /tapi-messenger',
      pattern: '^/[A-Za-z0-9._~/-]*[A-Za-z0-9._~-]$',
    }),
    allowedOrigins: list('Origins whose pages may use it besides its own; `*` for any.', ['*'], {
      expects: 'a list of origins such as https://app.example.com, or *',
      pattern: '^(\\*|https?://[^/]+)$',
    }),
    maxBodyBytes: bound('Largest body of one sending request.', 262_144, {
      min: 1_024,
      max: 16_777_216,
      peer: '413, or closed with 1009',
      test: 'bad-input: a message over the carrier',
    }),
    heartbeatMs: count('Silence after which a heartbeat frame goes out.', 25_000, { min: 100, max: 600_000 }),
    disconnectDelayMs: bound('How long a session waits for its next receiver.', 5_000, {
      min: 100,
      max: 600_000,
      peer: 'the session ends',
      test: 'protocol-transports: the table is whole',
    }),
    responseLimitBytes: count('After so much a streaming response ends and the client asks anew.', 131_072, {
      min: 1_024,
    }),
    websocket: flag('Offer WebSockets, not only the HTTP transports.', true),
    cookieNeeded: flag('Announce and set the JSESSIONID cookie, for balancers that need it.', false),
    clientUrl: text('What the iframe page loads.', 'https://cdn.jsdelivr.net/npm/sockjs-client@1/dist/sockjs.min.js', {
      expects: 'a URL',
      pattern: '^(https?:)?/',
    }),
    selftest: flag('Mount the services of the SockJS protocol suite. For tests only.', false),
  }),
  stomp: Type.Object({
    connectTimeoutMs: bound('Time to the first frame.', 60_000, {
      min: 100,
      max: 600_000,
      peer: 'closed with 1002',
      test: 'bad-input: who says nothing is closed',
    }),
    maxFrameBytes: bound('Largest frame.', 65_536, {
      min: 1_024,
      max: 16_777_216,
      peer: 'ERROR `Frame too large`',
      test: 'bad-input: Frame too large',
    }),
    maxHeaders: bound('Header lines of one frame.', 128, {
      min: 8,
      max: 10_000,
      peer: 'ERROR `Too many headers`',
      test: 'bad-input: Too many headers',
    }),
    maxHeaderLineBytes: bound('Longest header line.', 8_192, {
      min: 256,
      max: 1_048_576,
      peer: 'ERROR `Header too long`',
      test: 'bad-input: Header too long',
    }),
    heartbeatMinMs: count('Shortest heart-beat agreed to; 0 turns heart-beats off.', 1_000, { max: 600_000 }),
    sendBufferBytes: bound('What may wait for one reader before it is disconnected.', 524_288, {
      min: 4_096,
      peer: 'closed with 1008',
      test: 'tapi-faults: one who stops reading',
    }),
    sendTimeLimitMs: bound('How long one write may take before the reader is disconnected.', 10_000, {
      min: 100,
      max: 600_000,
      peer: 'closed with 1008',
      test: 'tapi-faults: one who stops reading',
    }),
    maxSubscriptions: bound('Subscriptions of one session.', 256, {
      min: 1,
      max: 10_000,
      peer: 'ERROR `Too many subscriptions`',
      test: 'bad-input: Too many subscriptions',
    }),
  }),
  auth: Type.Object({
    mode: choice(
      'Who may connect: `optional` takes users and anonymous sessions, `required` users only, `none` ignores credentials, `static` takes those of `tapi.auth.users`.',
      ['optional', 'required', 'none', 'static'],
      'optional',
    ),
    users: table('Logins and passcodes of the mode `static`.', { isSecret: true }),
  }),
  broker: Type.Object({
    clientPublish: list('Destinations that clients may publish to besides /tapi.', [], {
      expects: 'a list of destination patterns below /topic or /queue',
      pattern: '^/(topic|queue)/',
    }),
  }),
  replies: Type.Object({
    scope: choice('Who gets the reply to a request: its session, or all subscribers.', ['session', 'topic'], 'session'),
  }),
  userQueue: Type.Object({
    apexFallback: flag('Deliver calls also on the queue named by the application session.', true),
  }),
  caller: Type.Object({
    unknownName: text('Name of callers that the directory does not know.', 'UNKNOWN'),
    lookup: flag('Look callers up in the directory. `false`: always the unknown name, as the original.', true),
  }),
  dial: Type.Object({
    minIntervalMs: bound('Shortest time between two dials of one session.', 0, {
      max: 600_000,
      peer: '`too-many-requests`',
      test: 'dial: tapi.dial.minIntervalMs',
    }),
  }),
  registry: Type.Object({
    stopGraceMs: count('Wait before a number is no longer listened to after its last listener left.', 0, {
      max: 600_000,
    }),
  }),
  lookup: Type.Object({
    adapter: choice(
      'Where application sessions are looked up: our own database, a file, a query on another database, or an HTTP address.',
      ['database', 'file', 'sql', 'http'],
      'database',
    ),
    timeoutMs: count('How long one lookup may take.', 5_000, { min: 10, max: 600_000 }),
    file: Type.Object({ path: maybeText('The JSON file with sessions and accounts.', { expects: 'a path' }) }),
    sql: Type.Object({
      url: maybeText('The other database.', {
        expects: 'a URL such as postgres://user:password@host/name or sqlite:/path',
        pattern: '^(postgres(ql)?://|sqlite:)',
        isSecret: true,
      }),
      query: maybeText(
        'The statement; `:s` is the session, the result has the column `phone`, `telefon` or one only.',
        {
          expects: 'an SQL statement with the bind :s',
          pattern: ':s\\b',
        },
      ),
    }),
    http: Type.Object({
      url: maybeText('The address; {session} is replaced.', {
        expects: 'a URL with {session}',
        pattern: '^https?://.*\\{session\\}',
      }),
    }),
  }),
  compat: Type.Object({
    seedSnippet: flag('Understand the two-argument call of the original documentation.', true),
  }),
});
