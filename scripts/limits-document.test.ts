import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { fileURLToPath } from 'node:url';
import { limitsDocument } from './limits-document.ts';

const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

test('docs/limits.md says what the code says: node scripts/limits-document.ts --write', () => {
  expect(readFileSync(`${root}/docs/limits.md`, 'utf8')).toBe(limitsDocument(root));
});
