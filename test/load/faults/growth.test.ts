import { expect, test } from 'vitest';
import { growth } from './growth.ts';

const small = [{ rssMiB: 190, handles: 13 }];
const stored = { messages: 1_000, idempotency: 1_000, entries: 2_010, mailbox: 2_000, users: 5 };

test('what was stored is no growth; more of anything is', () => {
  expect(growth(small, [{ rssMiB: 220, handles: 20 }], stored, 1_000)).toEqual([]);
  expect(growth(small, [{ rssMiB: 300, handles: 40 }], stored, 1_000)).toEqual([
    'node 1: memory, by 110 MiB',
    'node 1: handles, by 27',
  ]);
  expect(growth(small, small, { ...stored, entries: 2_101, fresh_entries: 101 }, 1_000)).toEqual([
    'table entries: 2101 rows',
    'table fresh_entries: 101 rows',
  ]);
});
