import { expect, test } from 'vitest';
import { Ledger } from './ledger.ts';

test('the books tell what was lost, swapped, repeated, doubled and not stored', () => {
  const ledger = new Ledger();
  const tell = ledger.client('bob on SSE', 'bob');
  ledger.client('alice on SSE', 'alice');
  for (const [i, text] of ['a', 'b', 'c', 'd'].entries()) {
    ledger.sent(text, 'bob');
    if (text !== 'd') ledger.acknowledged(text, `id-${i}`);
  }
  tell({ id: 'id-1', text: 'b' });
  tell({ id: 'id-0', text: 'a' });
  tell({ id: 'id-0', text: 'a' });
  tell({ id: 'id-9', text: 'a' });
  tell({ id: 'id-7', text: 'e' });
  const stored = [
    { id: 'id-0', text: 'a', between: 'alice bob' },
    { id: 'id-1', text: 'b', between: 'alice bob' },
    { id: 'id-5', text: 'b', between: 'alice bob' },
    { id: 'id-7', text: 'e', between: 'bob carol' },
  ];
  expect(ledger.proof(stored)).toEqual({
    sent: 4,
    acknowledged: 3,
    delivered: 3,
    lost: 1,
    notStored: 2,
    outOfOrder: 1,
    repeats: 1,
    unmarkedRepeats: 1,
  });
  expect(ledger.missing()).toEqual(new Map([['bob on SSE', ['c']]]));
});
