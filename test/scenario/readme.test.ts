import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ServerProcess } from '../kit/server-process.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

/** The first shell block behind a mark in the README. */
function tour(): string {
  const block = /<!-- tour -->\n```sh\n([\s\S]*?)```\n<!-- end of tour -->/.exec(readme)?.[1];
  if (block === undefined) throw new Error('The README has lost its tour.');
  return block;
}

async function shell(script: string, cwd: string): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn('bash', ['-e', '-c', script], { cwd });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, output };
}

test('the tour of the README works as it stands there', async () => {
  await using server = await ServerProcess.start();
  const folder = await mkdtemp(join(tmpdir(), 'tieline-tour-'));
  const { code, output } = await shell(tour().replaceAll('localhost:8080', `localhost:${server.port}`), folder);
  await rm(folder, { recursive: true });
  expect(code, output).toBe(0);
  expect(output).toContain('event: chatapi.chat');
  expect(output).toMatch(/data: .*Hello Bob/);
  expect(output).toMatch(/event: chatapi\.call[\s\S]*RINGING/);
  expect(output).toContain('"status":"ok"');
  expect(output.match(/Hello Bob/g)?.length).toBeGreaterThanOrEqual(2);
});
