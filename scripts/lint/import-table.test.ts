import { ESLint } from 'eslint';
import { expect, test } from 'vitest';
import { fileURLToPath } from 'node:url';
import { driverRefusal, refusal } from './import-table.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

test.each([
  ['core/presence/service.ts', 'core/directory/index.ts', undefined],
  ['core/directory/service.ts', 'core/presence/index.ts', 'core/directory may not import core/presence'],
  ['core/calls/service.ts', 'delivery/index.ts', 'core/calls may not import delivery'],
  ['core/calls/service.ts', 'core/directory/vault.ts', 'core/directory is entered by its index.ts only'],
  ['protocols/appws/index.ts', 'core/calls/index.ts', undefined],
  ['protocols/appws/index.ts', 'protocols/chat-api/index.ts', 'protocols/appws may not import protocols/chat-api'],
  ['protocols/appws/index.ts', 'adapters/store-sql/index.ts', 'protocols/appws may not import adapters/store-sql'],
  [
    'adapters/engine-tapi/engine.ts',
    'adapters/store-sql/index.ts',
    'adapters/engine-tapi may not import adapters/store-sql',
  ],
  ['adapters/engine-tapi/engine.ts', 'core/calls/index.ts', undefined],
  ['kit/clock.ts', 'core/index.ts', 'kit may not import core'],
  ['http/http.ts', 'core/index.ts', 'http may not import core'],
  ['delivery/tail.ts', 'core/journal/index.ts', undefined],
  ['delivery/tail.ts', 'main.ts', 'only main.ts and cli may import main'],
  ['main.ts', 'adapters/store-sql/index.ts', undefined],
])('%s importing %s: %s', (from, to, reason) => {
  expect(refusal(from, to)).toBe(reason);
});

test.each([
  ['core/calls/service.ts', 'ws', 'ws is named only in http'],
  ['core/calls/service.ts', 'typebox', 'core/calls may import no package (typebox)'],
  ['core/calls/service.ts', 'node:net', 'the core does no input or output (node:net)'],
  ['core/calls/service.ts', 'node:crypto', undefined],
  ['adapters/store-sql/store.ts', 'kysely', undefined],
  ['protocols/chat-api/index.ts', 'kysely/helpers', 'kysely is named only in adapters/store-sql'],
])('%s importing the package %s: %s', (from, name, reason) => {
  expect(driverRefusal(from, name)).toBe(reason);
});

test('the linter fails on a planted violation', async () => {
  const eslint = new ESLint({ cwd: root });
  const planted = "import { mountChatApi } from '../chat-api/index.ts';\nexport const stolen = mountChatApi;\n";
  const [result] = await eslint.lintText(planted, { filePath: `${root}packages/server/src/protocols/appws/api.ts` });
  const messages = result?.messages.filter(({ ruleId }) => ruleId === 'tieline/import-table').map((m) => m.message);
  expect(messages).toEqual(['Import table: protocols/appws may not import protocols/chat-api.']);
});
