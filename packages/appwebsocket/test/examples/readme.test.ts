import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../../../../test/kit/wait.ts';
import { AppService } from '../../src/service/app-service.ts';
import { AppObjectConnection } from '../../src/issue/app-object-connection.ts';
import { appObjectCredentials } from '../../src/issue/pbx-logins.ts';

const PACKAGE = fileURLToPath(new URL('../..', import.meta.url));
const FASTIFY = fileURLToPath(new URL('../../../../node_modules/fastify', import.meta.url));
const README = readFileSync(join(PACKAGE, 'README.md'), 'utf8');

/** The code blocks whose first line names their file. */
const programs = new Map(
  [...README.matchAll(/```js\n\/\/ (\S+)\n([^]*?)```/g)].map(([, name, text]) => [name ?? '', text ?? '']),
);
let folder = '';
let port = 0;
const running: Program[] = [];

/** A program of the README, verbatim but for its port. */
class Program {
  readonly child: ChildProcess;
  output = '';

  constructor(name: string, ...nodeOptions: readonly string[]) {
    const file = join(folder, name);
    const text = programs.get(name) ?? '';
    expect(text).not.toBe('');
    writeFileSync(file, text.replaceAll('8080', String(port)).replace('localhost', '127.0.0.1'));
    const options = ['--conditions=source', '--disable-warning=ExperimentalWarning', ...nodeOptions];
    this.child = spawn(process.execPath, [...options, file], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.on('data', (data: Buffer) => (this.output += data.toString()));
    running.push(this);
  }

  async says(text: string): Promise<void> {
    await until(() => this.output.includes(text), `"${text}" in "${this.output}"`, 20_000).catch(() =>
      expect(this.output).toContain(text),
    );
  }

  async ended(): Promise<void> {
    if (this.child.exitCode === null) await once(this.child, 'exit');
    expect(this.child.exitCode, this.output).toBe(0);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill();
    await once(this.child, 'exit');
  }
}

const freePort = async (): Promise<number> => {
  const server = createServer();
  await once(server.listen(0), 'listening');
  const { port: free } = server.address() as AddressInfo;
  await once(server.close(), 'close');
  return free;
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'appws-readme-'));
  mkdirSync(join(folder, 'node_modules/@tieline'), { recursive: true });
  symlinkSync(PACKAGE, join(folder, 'node_modules/@tieline/appwebsocket'));
  symlinkSync(FASTIFY, join(folder, 'node_modules/fastify'));
  port = await freePort();
});
afterAll(async () => {
  for (const program of running) await program.stop();
  rmSync(folder, { recursive: true });
});

test('every code block is run here', () => {
  expect([...programs.keys()].sort()).toEqual(
    ['service.mjs', 'client.mjs', 'presence.mjs', 'connected.mjs', 'page.mjs', 'fastify.mjs'].sort(),
  );
  expect(README.match(/```(js|ts)\n/g)).toHaveLength(programs.size);
});

test('a service, its client, and a page in myApps', { timeout: 60_000 }, async () => {
  const service = new Program('service.mjs');
  await service.says('listening');
  const client = new Program('client.mjs');
  await client.says('Hello Alice, you are alice');
  await client.ended();
  // The window around the page, which has asked its PBX.
  writeFileSync(
    join(folder, 'window.mjs'),
    `import { issueUserLogin } from '@tieline/appwebsocket';
     globalThis.location = { href: 'http://127.0.0.1:${port}/example.com/hello/page.htm?name=hello-obj', search: '?name=hello-obj' };
     const listeners = new Set();
     const parent = { postMessage(text) {
       const { src, app, challenge } = JSON.parse(text);
       const object = { name: app, dn: 'Hello', cn: 'Hello', guid: '1', url: 'http://h/hello', password: 'secret' };
       const user = { sip: 'alice', guid: '2', dn: 'Alice', cn: 'Alice' };
       const login = issueUserLogin({ pbx: { name: 'master', domain: 'example.com' }, app: object, user, challenge, sessionPassword: 's' });
       const data = JSON.stringify({ mt: 'Login', src, ...login, key: undefined, info: JSON.parse(login.info) });
       for (const listener of listeners) listener({ data, source: parent });
     } };
     globalThis.window = { parent, addEventListener: (_, f) => listeners.add(f), removeEventListener: (_, f) => listeners.delete(f) };`,
  );
  const page = new Program('page.mjs', `--import=${join(folder, 'window.mjs')}`);
  await page.says('Hello from a page, you are alice');
  await page.ended();
  await service.stop();
});

test('asking a PBX', { timeout: 60_000 }, async () => {
  // A stand-in for the PBX, with just what the program asks.
  const pbx = new AppService({
    path: '/PBX0/APPS',
    password: ({ app }) => (app === 'my-app-object' ? 'secret' : undefined),
  });
  const ended: unknown[] = [];
  pbx.api('PbxApi', {
    GetNodeInfo: () => ({ name: 'root' }),
    SubscribePresence: (_message, call) => {
      queueMicrotask(() => {
        call.tell('PresenceState', { sip: 'bob', up: true });
        call.tell('PresenceUpdate', { presence: [{ contact: 'im:', activity: 'away' }] });
      });
      return {};
    },
    UnsubscribePresence: ({ sip }) => {
      ended.push(sip);
      return {};
    },
  });
  const server = createServer();
  pbx.mount(server);
  await once(server.listen(port), 'listening');
  const program = new Program('presence.mjs');
  await program.says('away');
  await program.ended();
  expect(program.output).toContain("name: 'root'");
  expect(ended).toEqual(['bob']);
  await pbx.close();
  await once(server.close(), 'close');
});

test('being connected by a PBX', { timeout: 60_000 }, async () => {
  const service = new Program('connected.mjs');
  await service.says('listening');
  const node = { name: 'master', domain: 'example.com' };
  const url = `http://127.0.0.1:${port}/example.com/hello/hello`;
  const app = { name: 'hello-obj', dn: 'Hello', cn: 'Hello', guid: '1', url, password: 'secret' };
  const told: unknown[] = [];
  await using pbx = new AppObjectConnection(
    () => ({
      url,
      credentials: appObjectCredentials(node, app),
      pbxInfo: { domain: 'example.com', pbx: 'master', pbxDns: '', apis: ['PbxApi'] },
    }),
    {
      message: ({ api, mt, src }) => pbx.send(JSON.stringify({ api, mt: `${mt}Result`, src, name: 'root' })),
      appInfo: (answer) => told.push(answer),
    },
  );
  await service.says('master is here with PbxApi');
  await service.says('node root');
  await until(() => told.length > 0);
  expect(told[0]).toEqual({ info: { hidden: true } });
  await service.stop();
});

test('on Fastify', { timeout: 60_000 }, async () => {
  const service = new Program('fastify.mjs');
  await service.says('listening');
  const client = new Program('client.mjs');
  await client.says('Hello Alice');
  await client.ended();
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('a page');
  await service.stop();
});
