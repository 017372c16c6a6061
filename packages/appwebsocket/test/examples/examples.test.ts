import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const FOLDER = new URL('../../examples/', import.meta.url);
const run = promisify(execFile);

const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  'hello-service.ts': ['Hello Zoë, says hello', 'counted 1, 2, 3', 'request-refused: name is missing'],
  'services-login.ts': ['{"api":"com.acme.devices","mt":"ListResult","for":"tool","devices":["desk phone"]}'],
  'json-api-flow.ts': ['alice imports', '200 rows stored, at most 1 at work, under one MB in the sender'],
  'pbx-initiator.ts': [
    'pbx: logged in',
    'pbx: the app offers com.acme.tool',
    'service: master of example.com is node root',
  ],
  'web-login.ts': ['please log in', '{"mt":"AppLoginResult","ok":true}', 'hello Alice Adams, unlicensed: true'],
};

test('every program has its test', () => {
  const programs = readdirSync(FOLDER).filter((name) => name !== 'little-pbx.ts');
  expect(programs.sort()).toEqual(Object.keys(EXPECTED).sort());
});

test.each(Object.entries(EXPECTED))('%s runs, says what it should, and ends by itself', async (name, lines) => {
  const args = ['--conditions=source', '--disable-warning=ExperimentalWarning', fileURLToPath(new URL(name, FOLDER))];
  const { stdout, stderr } = await run(process.execPath, args, { timeout: 25_000 });
  expect(stderr).toBe('');
  expect(stdout.trim().split('\n').sort()).toEqual([...lines].sort());
});
