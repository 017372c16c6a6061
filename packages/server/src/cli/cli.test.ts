import { expect, test } from 'vitest';
import { until } from '../../../../test/kit/wait.ts';
import { loadConfig, type Config } from '../config/index.ts';
import type { App, Device, NewUser, User } from '../core/directory/index.ts';
import type { UserId } from '../core/journal/index.ts';
import { Problem } from '../kit/index.ts';
import type { Administration } from './administration.ts';
import type { CliContext, Environment } from './context.ts';
import { runCli } from './run.ts';

const ACCOUNTS = [{ name: 'alice', number: '201', displayName: 'Alice Adams' }];

interface Stage {
  readonly context: CliContext;
  readonly said: string[];
  readonly complained: string[];
  readonly exits: number[];
  readonly signal: (name: string) => void;
  readonly listeners: () => number;
}

interface StageOptions {
  readonly env?: Environment;
  readonly administration?: Administration;
  readonly answers?: readonly string[];
  readonly line?: string;
  readonly close?: () => Promise<void>;
  readonly startServer?: (config: Config) => Promise<never>;
}

function stage(options: StageOptions = {}): Stage {
  const said: string[] = [];
  const complained: string[] = [];
  const exits: number[] = [];
  const heard = new Set<(signal: string) => void>();
  const answers = [...(options.answers ?? [])];
  const context: CliContext = {
    version: '9.9.9',
    env: options.env ?? {},
    console: {
      say: (line) => void said.push(line),
      complain: (line) => void complained.push(line),
      canAsk: options.answers !== undefined,
      askSecretly: async () => answers.shift() ?? '',
      readLine: async () => options.line ?? '',
    },
    startServer:
      options.startServer ??
      (async () => ({ urls: ['http://127.0.0.1:1234'], close: options.close ?? (() => Promise.resolve()) })),
    openAdministration: async () => options.administration ?? emptyStore(),
    buildWeb: async () => undefined,
    exit: (status) => void exits.push(status),
    onSignal(listener) {
      heard.add(listener);
      return () => heard.delete(listener);
    },
  };
  const signal = (name: string): void => heard.forEach((listener) => listener(name));
  return { context, said, complained, exits, signal, listeners: () => heard.size };
}

function emptyStore() {
  const users: (User & { readonly password: string })[] = [];
  const apps: (App & { readonly secret: string })[] = [];
  const devices: (Device & { readonly userName: string; readonly secret: string })[] = [];
  const find = (name: string) => {
    const user = users.find((u) => u.name === name);
    if (user === undefined) throw new Problem('unknown-user', 'There is no such user.', { subject: name });
    return user;
  };
  let closed = 0;
  let keys = ['aaaaaaaa'];
  const store: Administration = {
    isEmpty: async () => users.length === 0,
    async addUser(user: NewUser) {
      if (users.some((u) => u.name === user.name)) throw new Problem('name-taken', 'Taken.', { subject: user.name });
      const id = `id-${user.name}` as UserId;
      const cn = user.displayName;
      const { email = null, isAdmin = false, hasStorage = true, apps: list = [] } = user;
      const added = { ...user, id, cn, email, isAdmin, hasStorage, apps: list, isLocked: false };
      users.push(added);
      return added;
    },
    users: async () => users,
    async setPassword(name, password) {
      users[users.indexOf(find(name))] = { ...find(name), password };
    },
    async addApp(app) {
      const added = { ...app, guid: 'g', isHidden: false };
      apps.push(added);
      return added;
    },
    apps: async () => apps,
    async addDevice({ user, ...device }) {
      const added = { ...device, user: find(user).id, userName: user };
      devices.push(added);
      return added;
    },
    devices: async (user) => devices.filter((device) => user === null || device.userName === user),
    sealedSecrets: async () => [
      ...keys.map((key, i) => ({ key, isHere: true, seals: i === 0, secrets: i === 0 ? 3 : 0 })),
      ...(users.length === 0 ? [] : [{ key: 'eeeeeeee', isHere: false, seals: false, secrets: 1 }]),
    ],
    async rotateSecrets() {
      keys = ['bbbbbbbb', ...keys];
      return 3;
    },
    async [Symbol.asyncDispose]() {
      closed++;
    },
  };
  return { ...store, list: { users, apps, devices }, closings: () => closed };
}

const passwordIn = (lines: readonly string[]): string => /^Password of \S+: (\S+) /m.exec(lines.join('\n'))?.[1] ?? '';

test('init makes the first administrator, with a password that is shown once', async () => {
  const store = emptyStore();
  const { context, said } = stage({ administration: store });
  expect(await runCli(['init'], context, ACCOUNTS)).toBe(0);
  expect(store.list.users).toMatchObject([{ name: 'admin', isAdmin: true, password: passwordIn(said) }]);
  expect(passwordIn(said)).toHaveLength(16);
  expect(store.closings()).toBe(1);
});

test('init leaves a store alone that has users', async () => {
  const store = emptyStore();
  await runCli(['init'], stage({ administration: store }).context, ACCOUNTS);
  const { context, complained } = stage({ administration: store });
  expect(await runCli(['init', '--admin', 'root'], context, ACCOUNTS)).toBe(1);
  expect(complained.join()).toContain('tieline user add');
  expect(store.list.users).toHaveLength(1);
});

test('a user with everything, the password from standard input', async () => {
  const store = emptyStore();
  const { context, said } = stage({ administration: store, line: 'sësame' });
  const options = ['--display-name', 'Erin Eck', '--number', '+4930123', '--email', 'e@x', '--apps', 'cti, chat'];
  const args = ['user', 'add', 'Erin', '--password-stdin', '--no-storage', '--admin', ...options];
  expect(await runCli(args, context, ACCOUNTS)).toBe(0);
  expect(store.list.users).toMatchObject([
    {
      name: 'erin',
      displayName: 'Erin Eck',
      number: '+4930123',
      email: 'e@x',
      apps: ['cti', 'chat'],
      hasStorage: false,
      isAdmin: true,
      password: 'sësame',
    },
  ]);
  expect(said.join()).not.toContain('sësame');
});

test.each([
  { what: 'asked twice', answers: ['a', 'a'], status: 0, password: 'a' },
  { what: 'two different answers', answers: ['a', 'b'], status: 1, password: undefined },
])('a password from whoever sits there: $what', async ({ answers, status, password }) => {
  const store = emptyStore();
  const { context } = stage({ administration: store, answers });
  expect(await runCli(['user', 'add', 'erin'], context, ACCOUNTS)).toBe(status);
  expect(store.list.users[0]?.password).toBe(password);
});

test('a new password, and the lists', async () => {
  const store = emptyStore();
  const run = async (...args: string[]) => {
    const { context, said, complained } = stage({ administration: store, line: 'two' });
    const status = await runCli(args, context, ACCOUNTS);
    return { status, text: [...said, ...complained].join('\n') };
  };
  await run('user', 'add', 'erin', '--generate');
  expect((await run('user', 'password', 'erin', '--password-stdin')).status).toBe(0);
  expect(store.list.users[0]?.password).toBe('two');
  await run(
    'app',
    'add',
    'crm',
    '--grant',
    'rcc,PbxApi',
    '--url',
    'https://crm.example/app',
    '--all-users',
    '--websocket',
  );
  expect(store.list.apps[0]).toMatchObject({ grants: ['RCC', 'PbxApi'], users: 'all', hasWebsocket: true });
  await run('device', 'add', '301', '--user', 'erin');
  expect(store.list.devices[0]).toMatchObject({ id: '301', kind: 'sip', userName: 'erin' });
  const listed = await run('user', 'list');
  expect(listed.text).toMatch(/^name +number +displayName.*\nerin +/);
  expect(JSON.parse((await run('user', 'list', '--json')).text)).toMatchObject([{ name: 'erin', storage: true }]);
  expect((await run('app', 'list')).text).toContain('RCC,PbxApi');
  expect((await run('device', 'list', '--user', 'erin')).text).toContain('301');
  for (const secret of ['two', store.list.apps[0]!.secret, store.list.devices[0]!.secret])
    for (const list of ['user', 'app', 'device'])
      expect((await run(list, 'list', '--json')).text).not.toContain(secret);
});

test('keys are listed with what they have sealed, and rotated; a key that is missing is an error', async () => {
  const store = emptyStore();
  const run = async (...args: string[]) => {
    const { context, said, complained } = stage({ administration: store });
    const status = await runCli(args, context, ACCOUNTS);
    return { status, text: [...said, ...complained].join('\n') };
  };
  expect(await run('secrets', 'list')).toEqual({
    status: 0,
    text: 'key       secrets\naaaaaaaa  3        seals',
  });
  const rotated = await run('secrets', 'rotate');
  expect(rotated.status).toBe(0);
  expect(rotated.text).toContain('Secrets sealed anew: 3.');
  expect(rotated.text).toContain('the first line of');
  expect((await run('secrets', 'list')).text).toMatch(/bbbbbbbb +3 +seals\naaaaaaaa +0 +nothing needs it/);
  await run('user', 'add', 'erin', '--generate');
  expect((await run('secrets', 'list')).text).toMatch(/eeeeeeee +1 +NOT HERE/);
  expect(await run('secrets', 'rotate')).toMatchObject({ status: 1, text: expect.stringContaining('eeeeeeee') });
});

test.each([
  [['user', 'add', 'No Good'], /up to 64 of a-z/],
  [['user', 'add', 'erin', '--number', '12a'], /12a: A number/],
  [['user', 'add', 'erin', '--password-stdin'], /no password on standard input/],
  [['user', 'password', 'nobody', '--generate'], /nobody: There is no such user/],
  [['app', 'add', 'x', '--grant', 'Everything'], /Everything: An App can be granted/],
  [['app', 'add', 'x', '--url', 'ftp://x'], /begins with http/],
  [['device', 'add', 'x', '--user', 'nobody', '--kind', 'fax'], /one of sip, chat, phone/],
  [['device', 'add', 'x'], /--user/],
  [['user', 'add', 'erin', '--password', 'hunter2'], /unknown option '--password'/],
  [['tapi-server-sim', '--port', '99999'], /Expected 0 to 65535/],
  [['restore'], /give either a file or --new-epoch/],
  [['restore', 'x.db', '--new-epoch'], /give either a file or --new-epoch/],
  [['fly'], /unknown command 'fly'/],
])('refused, with the reason: %j', async (args, reason) => {
  const store = emptyStore();
  const { context, complained } = stage({ administration: store });
  expect(await runCli(args, context, ACCOUNTS)).toBe(1);
  expect(complained.join('\n')).toMatch(reason);
  expect(store.list.users).toEqual([]);
});

test.each([
  [['backup', 'x.db'], /pg_dump.*pg_basebackup/],
  [['restore', 'x.db'], /own tools.*--new-epoch/],
])('on PostgreSQL, what to use instead: %j', async (args, reason) => {
  const env = {
    TIELINE_DATABASE_URL: 'postgres://localhost/none',
    TIELINE_SECRET_KEY: Buffer.alloc(32).toString('base64'),
    TIELINE_BLOBS_URL: 'file:///none',
  };
  const { context, complained } = stage({ env });
  expect(await runCli(args, context, ACCOUNTS)).toBe(1);
  expect(complained.join('\n')).toMatch(reason);
});

test('bad settings end with status 2', async () => {
  const { context, complained } = stage({ env: { PORT: 'x' } });
  expect(await runCli(['serve'], context, ACCOUNTS)).toBe(2);
  expect(complained.join()).toContain('http.port: expected a whole number');
});

test('serve says where it is, drains on the first signal, and ends with 0', async () => {
  let closings = 0;
  const { context, said, signal, listeners } = stage({
    close: async () => {
      closings++;
    },
  });
  const status = runCli(['serve'], context, ACCOUNTS);
  await Promise.resolve();
  await until(() => said.some((line) => line.includes('ready')));
  expect(said.join('\n')).toContain('http://localhost:1234');
  expect(said.join('\n')).toMatch(/201 +alice +Alice Adams/);
  signal('SIGTERM');
  expect(await status).toBe(0);
  expect(closings).toBe(1);
  expect(listeners()).toBe(0);
});

test('the second signal ends at once; an echo of the first does not', async () => {
  const closing = Promise.withResolvers<undefined>();
  const { context, said, signal, exits } = stage({ close: () => closing.promise });
  const status = runCli(['serve'], context, ACCOUNTS);
  await until(() => said.some((line) => line.includes('ready')));
  signal('SIGINT');
  signal('SIGINT');
  expect(exits).toEqual([]);
  signal('SIGTERM');
  expect(exits).toEqual([1]);
  closing.resolve(undefined);
  await status;
});

test('a server that does not start is explained, and the demo accounts are the demo only', async () => {
  const busy = Object.assign(new Error('listen EADDRINUSE: address already in use 127.0.0.1:8080'), {
    code: 'EADDRINUSE',
  });
  const { context, complained } = stage({ startServer: () => Promise.reject(busy) });
  expect(await runCli(['serve'], context, ACCOUNTS)).toBe(1);
  expect(complained.join()).toMatch(/8080.*set another PORT/);
  const real = stage({ env: { TIELINE_DATABASE_URL: 'sqlite:x.db' } });
  const status = runCli(['serve'], real.context, ACCOUNTS);
  await until(() => real.said.length > 0);
  real.signal('SIGTERM');
  await status;
  expect(real.said.join()).not.toContain('alice');
});

test('settings reach the server', async () => {
  const seen: Config[] = [];
  const { context } = stage({
    env: { PORT: '0' },
    startServer: (config) => {
      seen.push(config);
      return Promise.reject(new Error('enough'));
    },
  });
  await runCli(['serve'], context, ACCOUNTS);
  expect(seen).toEqual([loadConfig({ env: { PORT: '0' } })]);
});
