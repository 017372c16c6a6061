import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

test('handlers that throw: each error is uncaught, once, and the connection goes on', async () => {
  const script = fileURLToPath(new URL('throwing-process.ts', import.meta.url));
  const args = ['--conditions=source', '--disable-warning=ExperimentalWarning', script];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 25_000 });
  expect(JSON.parse(stdout)).toEqual({
    seen: [1, 2, 3, 4],
    thrown: ['open', 'message 1', 'message 2', 'message 3', 'message 4'],
  });
});
