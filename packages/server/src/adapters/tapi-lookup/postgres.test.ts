import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWithPeers } from '../../../../../test/kit/peer.ts';
import { POSTGRES_PROGRAMS, PostgresServer } from '../../../../../test/kit/postgres.ts';
import { type Lookup, sqlLookup } from './index.ts';

const QUERY =
  'select u.telefon, s.user_name::text from adm$uzytkownicy u join apex_workspace_sessions s on s.user_name = u.konto where s.apex_session_id = :s';

describeWithPeers(POSTGRES_PROGRAMS, 'sql on PostgreSQL', () => {
  let server: PostgresServer;
  let lookup: Lookup;
  const troubles: unknown[] = [];

  beforeAll(async () => {
    server = await PostgresServer.start();
    const url = await server.createDatabase();
    await server.run(
      `create table apex_workspace_sessions (apex_session_id numeric, user_name text);
      create table adm$uzytkownicy (konto text, telefon text);
      insert into apex_workspace_sessions values (14523990011223, 'JAN'), (8, 'TWO');
      insert into adm$uzytkownicy values ('JAN', '734'), ('TWO', '1'), ('TWO', '2')`,
      url,
    );
    lookup = sqlLookup({ url, query: QUERY, timeoutMs: 2_000, onTrouble: (error) => troubles.push(error) });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test('the original statement; sessions that are no number are none', async () => {
    const { signal } = new AbortController();
    expect(await lookup.find('14523990011223', signal)).toEqual({ phone: '734', user: 'JAN' });
    for (const session of ['9', 'abc', '1 or 1=1', "'; drop table adm$uzytkownicy; --"])
      expect(await lookup.find(session, signal), session).toBeNull();
    await expect(lookup.find('8', signal)).rejects.toThrow('ambiguous');
    const all = await Promise.all(Array.from({ length: 50 }, () => lookup.find('14523990011223', signal)));
    expect(all.every((found) => found?.phone === '734')).toBe(true);
  });

  test('a database that goes away is a failure of the look-up, and of nothing else', async () => {
    await server.stop();
    await expect(lookup.find('9', new AbortController().signal)).rejects.toThrow();
    await lookup.close();
    expect(troubles.length).toBeLessThanOrEqual(5);
  });
});
