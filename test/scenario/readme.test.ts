import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exampleOf, shell } from '../kit/page.ts';
import { ServerProcess } from '../kit/server-process.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

test('the tour of the README works as it stands there', async () => {
  await using server = await ServerProcess.start();
  const folder = await mkdtemp(join(tmpdir(), 'tieline-tour-'));
  const { code, output } = await shell(
    exampleOf(readme, 'tour').replaceAll('localhost:8080', `localhost:${server.port}`),
    { cwd: folder },
  );
  await rm(folder, { recursive: true });
  expect(code, output).toBe(0);
  expect(output).toContain('event: chatapi.chat');
  expect(output).toMatch(/data: .*Hello Bob/);
  expect(output).toMatch(/event: chatapi\.call[\s\S]*RINGING/);
  expect(output).toContain('"status":"ok"');
  expect(output.match(/Hello Bob/g)?.length).toBeGreaterThanOrEqual(2);
});
