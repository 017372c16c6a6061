import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const page = readFileSync(new URL('../../../docs/sip.md', import.meta.url), 'utf8');

test('every test that docs/sip.md names is there', () => {
  const named = [...new Set([...page.matchAll(/`((?:src|test)\/[^`]+\.test\.ts)`/g)].map((match) => match[1] ?? ''))];
  expect(named.length).toBeGreaterThan(25);
  expect(named.filter((file) => !existsSync(new URL(`../${file}`, import.meta.url)))).toEqual([]);
});

test('each trap is named by a test', () => {
  const rows =
    page
      .split('## The nine traps')[1]
      ?.split('\n## ')[0]
      ?.split('\n')
      .filter((row) => /^\| \d /.test(row)) ?? [];
  expect(rows).toHaveLength(9);
});
