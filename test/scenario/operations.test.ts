import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../packages/server/src/config/index.ts';
import { exampleOf, replaced, shell } from '../kit/page.ts';
import { startWorld } from '../kit/world.ts';

const page = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
const BINARY = fileURLToPath(new URL('../../packages/server/bin/tieline.js', import.meta.url));
const PATIENCE_MS = 180_000;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tieline-operations-'));
  // What the page calls `tieline`.
  await writeFile(join(folder, 'tieline'), `#!/bin/sh\nexec '${process.execPath}' '${BINARY}' "$@"\n`);
  await chmod(join(folder, 'tieline'), 0o755);
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs an example of the page in the folder, with our paths in place of the page's. */
async function typed(mark: string, by: Readonly<Record<string, string>>): Promise<string> {
  const env = {
    ...process.env,
    PATH: `${folder}:${process.env['PATH'] ?? ''}`,
    TIELINE_CONFIG: join(folder, 'tieline.yaml'),
  };
  const { code, output } = await shell(replaced(exampleOf(page, mark), by), { cwd: folder, env });
  expect(code, output).toBe(0);
  return output;
}

test(
  'the examples with tieline work as they stand there',
  async () => {
    const settings = replaced(exampleOf(page, 'settings'), { '/var/lib/tieline': join(folder, 'data') });
    await writeFile(join(folder, 'tieline.yaml'), settings);
    const backups = join(folder, 'backups');
    await mkdir(backups);
    await shell(`'${join(folder, 'tieline')}' init`, {
      cwd: folder,
      env: { ...process.env, TIELINE_CONFIG: join(folder, 'tieline.yaml') },
    });
    expect(await typed('backup', { '/var/backups/tieline': backups })).toContain('Wrote ');
    expect(await typed('rotate', {})).toMatch(/Secrets sealed anew: 2\.[\s\S]*seals[\s\S]*nothing needs it/);
    const [made = ''] = await readdir(backups);
    expect(made).toMatch(/^tieline-\d{8}T\d{6}Z\.db$/);
    const restored = await typed('restore', {
      '/var/backups/tieline': backups,
      'tieline-20261127T221305Z.db': made,
    });
    expect(restored).toContain(`Restored ${join(folder, 'data', 'tieline.db')}`);
    expect(await readdir(join(folder, 'data'))).toContainEqual(expect.stringMatching(/^tieline\.db\.replaced-/));
  },
  PATIENCE_MS,
);

test('the settings of the page can be used as they are', async () => {
  for (const mark of ['settings', 'cluster settings']) {
    const file = join(folder, 'example.yaml');
    await writeFile(file, exampleOf(page, mark));
    expect(loadConfig({ env: { TIELINE_CONFIG: file } })).toMatchObject({
      domain: 'chat.example.com',
      http: { names: ['chat.example.com'] },
      demo: false,
    });
  }
});

test('every figure and setting that the page names is there', async () => {
  await using world = await startWorld();
  const figures = await (await fetch(`${world.url}/metrics`)).text();
  const named = new Set(page.match(/\btieline_\w+/g));
  expect(named.size).toBeGreaterThan(5);
  expect([...named].filter((name) => !figures.includes(`# TYPE ${name} `))).toEqual([]);
  const settings = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
  const keys = new Set(page.match(/(?<=`)(?:http|metrics|log|database|bus|blobs|journal|cluster)\.[\w.]+(?=[:`])/g));
  expect(keys.size).toBeGreaterThan(5);
  const isKnown = (key: string): boolean => settings.includes(`| \`${key}\`<br>`) || settings.includes(`| \`${key}.`);
  expect([...keys].filter((key) => !isKnown(key))).toEqual([]);
});

test('the alerts are rules that Prometheus can read', () => {
  const { groups } = parse(exampleOf(page, 'alerts')) as { groups: { rules: Record<string, unknown>[] }[] };
  const rules = groups.flatMap((group) => group.rules);
  expect(rules.length).toBeGreaterThan(5);
  for (const { alert, expr } of rules) expect([alert, expr]).toEqual([expect.any(String), expect.any(String)]);
});
