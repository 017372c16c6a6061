import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { apiReference, referenceFile } from '../../../scripts/api-reference.ts';

const page = readFileSync(new URL('../../../docs/sip.md', import.meta.url), 'utf8');

test('every test that docs/sip.md names is there', () => {
  const named = [...new Set([...page.matchAll(/`((?:src|test)\/[^`]+\.test\.ts)`/g)].map((match) => match[1] ?? ''))];
  expect(named.length).toBeGreaterThan(25);
  expect(named.filter((file) => !existsSync(new URL(`../${file}`, import.meta.url)))).toEqual([]);
});

test('each trap is named by a test in the files of its row', () => {
  const rows =
    page
      .split('## The nine traps')[1]
      ?.split('\n## ')[0]
      ?.split('\n')
      .filter((row) => /^\| \d /.test(row)) ?? [];
  expect(rows.map((row) => row[2])).toEqual([...'123456789']);
  for (const row of rows) {
    const files = [...row.matchAll(/`([^`]+\.test\.ts)`/g)].map((match) => match[1] ?? '');
    const texts = files.map((file) => readFileSync(new URL(`../${file}`, import.meta.url), 'utf8'));
    expect(texts.filter((text) => new RegExp(`'[^'\n]*\\btrap ${row[2]}\\b`).test(text)).length).toBeGreaterThan(0);
  }
});

test('the API reference is what the doc comments say', { timeout: 60_000 }, async () => {
  // Not current? node scripts/api-reference.ts packages/sip
  expect(readFileSync(referenceFile('packages/sip'), 'utf8')).toBe(await apiReference('packages/sip'));
});
