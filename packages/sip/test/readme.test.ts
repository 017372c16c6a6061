import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';

const readme = new URL('../README.md', import.meta.url);
// Beside this file, so that the package is found by its name.
const program = new URL(`./readme-example-${process.pid}.ts`, import.meta.url).pathname;
afterAll(() => rmSync(program, { force: true }));

test('the program of the README runs as it stands', async () => {
  const code = /```ts\n([\s\S]+?)```/.exec(readFileSync(readme, 'utf8'))?.[1] ?? '';
  writeFileSync(program, code);
  const flags = ['--conditions=source', '--disable-warning=ExperimentalWarning'];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [...flags, program], { timeout: 20_000 });
  expect(stderr).toBe('');
  expect(stdout.trim().split('\n')).toEqual([
    'registered for 600 seconds',
    'alice is at 127.0.0.1',
    'progress 180',
    'answered with m=audio 4000 RTP/AVP 0',
    'left: 0 bindings',
  ]);
});
