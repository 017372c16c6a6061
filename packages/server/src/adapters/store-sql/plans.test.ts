import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test, vi } from 'vitest';
import type { ConversationId, MessageId, StreamId, UserId } from '../../core/journal/index.ts';
import { openSqlite } from './dialect/sqlite.ts';
import { migrate } from './migrate.ts';
import { Reader } from './reader.ts';
import type { ReaderQuestion } from './wire.ts';

/** Tables that grow with every message: no question may walk through one of them, unless it is by its order from an end. */
const LARGE = ['messages', 'mailbox', 'entries', 'stream_index', 'calls'];

const user = 'u' as UserId;
const before = 'm' as MessageId;
const conversation = 'c' as ConversationId;
const QUESTIONS: readonly ReaderQuestion[] = [
  { ask: 'query', query: { kind: 'conversations.history', input: { user, limit: 5, since: 1, keywords: 'a b' } } },
  { ask: 'query', query: { kind: 'conversations.history', input: { user, limit: 5, conversation } } },
  { ask: 'query', query: { kind: 'conversations.history', input: { user, limit: 5, before } } },
  { ask: 'query', query: { kind: 'conversations.unread', input: { user } } },
  { ask: 'query', query: { kind: 'conversations.message', input: { id: before } } },
  { ask: 'query', query: { kind: 'calls.history', input: { user, before: null, limit: 5 } } },
  { ask: 'range', range: { streams: ['s' as StreamId], after: 0, until: 9, limit: 5 } },
  { ask: 'tail', after: 0, limit: 5 },
];

/** `mailbox` and `mail_log` go by one alias, and the latter is short. */
function largeIn(text: string): readonly string[] {
  return text.includes('from "mailbox" as "mail"') ? [...LARGE, 'mail'] : LARGE;
}

test('every question about messages is answered through an index', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tieline-plans-'));
  const connection = openSqlite(join(folder, 'db'), { readOnly: false });
  await migrate(connection);
  const raw = new DatabaseSync(join(folder, 'db'));
  const prepared = vi.spyOn(DatabaseSync.prototype, 'prepare');
  const reader = new Reader(connection);
  for (const question of QUESTIONS) await reader.answer(question);
  const statements = prepared.mock.calls.map(([text]) => text).filter((text) => text.startsWith('select'));
  prepared.mockRestore();
  expect(statements.length).toBeGreaterThan(QUESTIONS.length);
  for (const text of statements) {
    const plan = raw.prepare(`explain query plan ${text}`).all();
    const walks = plan.map(({ detail }) => String(detail)).filter((detail) => detail.startsWith('SCAN'));
    const isEnd = /order by "position"( desc)? limit \?$/.test(text);
    for (const walk of walks) expect(isEnd ? [] : largeIn(text), text).not.toContain(walk.split(' ')[1]);
    if (!/mail_log|members/.test(text))
      expect(
        plan.map(({ detail }) => detail),
        text,
      ).not.toContain('USE TEMP B-TREE FOR ORDER BY');
  }
  raw.close();
  await connection.close();
  rmSync(folder, { recursive: true });
});
