import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gzippedBytes } from '../browser/kit.ts';

const run = promisify(execFile);
const PACKAGE = fileURLToPath(new URL('../../', import.meta.url));
const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const NAME = '@tieline/appwebsocket';

/** A program that uses what was published, as a stranger's would. */
const NODE_PROGRAM = `
import { createServer } from 'node:http';
import { AppService, AppSession, AppWebsocketClient } from '${NAME}';
const service = new AppService({ password: 'pwd' });
service.api('com.acme.hello', { Hello: ({ name }) => ({ text: 'Hello ' + name }) });
const server = createServer();
service.mount(server);
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const url = 'ws://127.0.0.1:' + server.address().port + '/';
const session = await AppSession.open({ url, app: 'tool', login: { password: 'pwd' } });
console.log((await session.request('com.acme.hello', 'Hello', { name: 'Node' })).text);
const { open } = await import(process.argv[2]);
console.log(await open(url));
await session.close();
await service.close();
server.close();
`;

const BROWSER_PROGRAM = `
import { AppWebsocketClient, AppSession } from '${NAME}';
import { loginFromMyApps } from '${NAME}/myapps';
export async function open(url) {
  if (typeof loginFromMyApps !== 'function') throw new Error('myapps');
  const session = await AppSession.open({ url, app: 'tool', login: { password: 'pwd' } });
  const { text } = await session.request('com.acme.hello', 'Hello', { name: 'browser build' });
  await session.close();
  return text;
}
`;

const TYPED_PROGRAM = `
import { AppSession, AppWebsocketClient, AppWebsocketError } from '${NAME}';
export async function use(session: AppSession): Promise<string | undefined> {
  AppWebsocketClient.connect('ws://x/', 'pwd').onauth((c, app, challenge) => c.auth(app, challenge)).onopen((c) => c.send('{}'));
  const { name } = await session.request('PbxApi', 'GetNodeInfo');
  for await (const told of session.subscribe('PbxApi', 'SubscribePresence', { sip: 'bob' })) {
    if (told.mt === 'PresenceUpdate') return told.presence[0]?.activity;
  }
  // @ts-expect-error somebody must be named
  await session.request('PbxApi', 'SubscribePresence', {});
  // @ts-expect-error no such message
  await session.request('PbxApi', 'Nope', {});
  const other = await session.request('com.acme.own', 'Anything', { x: 1 });
  if (other['x'] === 1) throw new AppWebsocketError('aborted');
  return name;
}
`;

describe('the published package', () => {
  let folder: string;
  let installed: string;
  let packed: readonly string[];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'appwebsocket-package-'));
    const staging = join(folder, 'staging');
    mkdirSync(staging);
    for (const name of ['package.json', 'LICENSE', 'README.md', 'src', 'examples'])
      cpSync(join(PACKAGE, name), join(staging, name), { recursive: true });
    const outDir = join(staging, 'dist');
    await run(join(ROOT, 'node_modules/.bin/tsc'), ['-p', join(PACKAGE, 'tsconfig.build.json'), '--outDir', outDir]);
    await run('npm', ['pack', '--pack-destination', folder], { cwd: staging });
    installed = join(folder, 'node_modules', NAME);
    mkdirSync(installed, { recursive: true });
    await run('tar', ['-xzf', join(folder, 'tieline-appwebsocket-0.1.0.tgz'), '-C', installed, '--strip-components=1']);
    const { stdout } = await run('tar', ['-tzf', join(folder, 'tieline-appwebsocket-0.1.0.tgz')]);
    packed = stdout
      .trim()
      .split('\n')
      .map((line) => line.replace(/^package\//, ''));
    for (const dependency of ['ws', '@types/node', '@types/ws', 'undici-types']) {
      const link = join(folder, 'node_modules', dependency);
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(join(ROOT, 'node_modules', dependency), link);
    }
    writeFileSync(join(folder, 'node.mjs'), NODE_PROGRAM);
    writeFileSync(join(folder, 'browser.js'), BROWSER_PROGRAM);
    writeFileSync(join(folder, 'typed.mts'), TYPED_PROGRAM);
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  const bundled = async (entry: string): Promise<string> => {
    const { outputFiles } = await build({
      stdin: { contents: entry, resolveDir: folder },
      bundle: true,
      minify: true,
      format: 'esm',
      platform: 'browser',
      write: false,
      logLevel: 'error',
    });
    return outputFiles[0]!.text;
  };

  test('holds the build with its types, the sources for the maps, the examples, and no tests', () => {
    for (const file of [
      'package.json',
      'LICENSE',
      'dist/index.js',
      'dist/index.d.ts',
      'dist/browser.js',
      'dist/myapps.js',
      'src/index.ts',
      'README.md',
      'examples/little-pbx.ts',
    ])
      expect(packed).toContain(file);
    expect(packed.filter((file) => /(^|\/)test|\.test\.|tsconfig/.test(file))).toEqual([]);
    const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as Record<string, unknown>;
    expect(Object.keys(manifest['dependencies'] as object)).toEqual(['ws']);
    expect(manifest['sideEffects']).toBe(false);
  });

  test('every path that package.json names is there', () => {
    const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as Record<string, unknown>;
    const pathsIn = (value: unknown): string[] =>
      typeof value === 'string' ? [value] : Object.values(value as object).flatMap(pathsIn);
    const paths = [...pathsIn(manifest['exports']), ...pathsIn(manifest['imports'])];
    expect(paths.length).toBeGreaterThan(10);
    for (const path of paths) expect(packed).toContain(path.slice(2));
  });

  test('runs in plain Node, and its browser build against it', async () => {
    writeFileSync(join(folder, 'bundle.mjs'), await bundled(readFileSync(join(folder, 'browser.js'), 'utf8')));
    const { stdout, stderr } = await run(process.execPath, ['node.mjs', './bundle.mjs'], { cwd: folder });
    expect(stdout.trim().split('\n')).toEqual(['Hello Node', 'Hello browser build']);
    expect(stderr).toBe('');
  });

  test('a stranger runs the examples: copied out of the package, as its README says', async () => {
    cpSync(join(installed, 'examples'), join(folder, 'examples'), { recursive: true });
    const links = [...readFileSync(join(installed, 'README.md'), 'utf8').matchAll(/\((examples\/[^)]+)\)/g)];
    expect(links.length).toBeGreaterThan(4);
    for (const [, path] of links) expect(packed).toContain(path);
    const options = ['--disable-warning=MODULE_TYPELESS_PACKAGE_JSON', '--disable-warning=ExperimentalWarning'];
    for (const name of ['hello-service.ts', 'services-login.ts']) {
      const { stdout } = await run(process.execPath, [...options, join('examples', name)], { cwd: folder });
      expect(stdout).toMatch(/Zoë|desk phone/);
    }
  });

  test('a bundler for browsers gets at most 8 KB gzipped, without Node or ws', async () => {
    const code = await bundled(`export * from '${NAME}'`);
    expect(gzippedBytes(code)).toBeLessThanOrEqual(8_192);
    expect(/\bnode:|\brequire\(|\bprocess\./.exec(code)).toBeNull();
  });

  test('its types hold for a stranger, in Node and for a browser', async () => {
    const tsc = join(ROOT, 'node_modules/.bin/tsc');
    const common = [
      '--noEmit',
      '--strict',
      '--exactOptionalPropertyTypes',
      '--target',
      'es2022',
      '--skipLibCheck',
      'false',
    ];
    const lib = ['--lib', 'es2024,esnext.disposable,dom,dom.asynciterable'];
    const node = ['--module', 'nodenext', '--types', 'node', 'typed.mts'];
    const web = ['--module', 'esnext', '--moduleResolution', 'bundler', '--customConditions', 'browser', 'typed.mts'];
    for (const options of [node, web]) {
      const checked = await run(tsc, [...common, ...lib, ...options], { cwd: folder }).catch((error: unknown) => error);
      expect((checked as { stdout: string }).stdout).toBe('');
    }
  });
});
