import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { apiReference, referenceFile } from '../../../../scripts/api-reference.ts';

const FOLDER = 'packages/appwebsocket';

test('the API reference is what the doc comments say', { timeout: 60_000 }, async () => {
  const written = readFileSync(referenceFile(FOLDER), 'utf8');
  // Not current? node scripts/api-reference.ts packages/appwebsocket
  expect(written).toBe(await apiReference(FOLDER));
});
