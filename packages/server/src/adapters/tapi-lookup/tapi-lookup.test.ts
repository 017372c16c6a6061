import { createServer, type Server } from 'node:http';
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Gate } from './gate.ts';
import { fileLookup, httpLookup, type Lookup, openTapiLookup, sqlLookup } from './index.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tieline-lookup-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const never = new AbortController().signal;
const find = (lookup: Lookup, session: string) => lookup.find(session, never);
const onTrouble = (): void => undefined;

const CONTENT = {
  apex_workspace_sessions: [
    { apex_session_id: '14523990011223', user_name: 'JAN' },
    { apex_session_id: 7, user_name: 'EWA' },
    { apex_session_id: '8', user_name: 'PHONELESS' },
    { apex_session_id: '9', user_name: 'NOBODY' },
    { apex_session_id: '10', user_name: 'TWO' },
    { apex_session_id: '11', user_name: 'SAME' },
  ],
  adm$uzytkownicy: [
    { konto: 'JAN', telefon: '734' },
    { konto: 'EWA', telefon: 735 },
    { konto: 'PHONELESS', telefon: ' ' },
    { konto: 'TWO', telefon: '1' },
    { konto: 'TWO', telefon: '2' },
    { konto: 'SAME', telefon: '3' },
    { konto: 'SAME', telefon: '3' },
  ],
};

async function checkAll(lookup: Lookup): Promise<void> {
  expect(await find(lookup, '14523990011223')).toMatchObject({ phone: '734' });
  expect(await find(lookup, '7')).toMatchObject({ phone: '735' });
  expect(await find(lookup, '8')).toBeNull();
  expect(await find(lookup, '9')).toBeNull();
  expect(await find(lookup, '404')).toBeNull();
  expect(await find(lookup, "1' or '1'='1")).toBeNull();
  await expect(find(lookup, '10')).rejects.toThrow('ambiguous');
  expect(await find(lookup, '11')).toMatchObject({ phone: '3' });
}

describe('file', () => {
  test('finds what it holds, follows changes, and keeps what was good when the file breaks', async () => {
    const path = join(folder, 'sessions.json');
    const troubles: unknown[] = [];
    const lookup = fileLookup({ path, onTrouble: (error) => troubles.push(error) });
    await expect(find(lookup, '7')).rejects.toThrow('ENOENT');
    await writeFile(path, JSON.stringify(CONTENT));
    await checkAll(lookup);
    expect(await find(lookup, '7')).toEqual({ phone: '735', user: 'EWA' });
    await writeFile(path, '{ broken');
    expect(await find(lookup, '7')).toMatchObject({ phone: '735' });
    expect(troubles.map(String)).toEqual(['Error: the file is no JSON']);
    await writeFile(path, JSON.stringify({ apex_workspace_sessions: [], adm$uzytkownicy: [] }));
    await utimes(path, 1, 1);
    expect(await find(lookup, '7')).toBeNull();
  });
});

describe('sql on SQLite', () => {
  test('the original statement, the session bound', async () => {
    const file = join(folder, 'apex.db');
    const database = new DatabaseSync(file);
    database.exec('create table apex_workspace_sessions (apex_session_id integer, user_name text)');
    database.exec('create table "adm$uzytkownicy" (konto text, telefon text)');
    const session = database.prepare('insert into apex_workspace_sessions values (?, ?)');
    for (const row of CONTENT.apex_workspace_sessions) session.run(Number(row.apex_session_id), row.user_name);
    const account = database.prepare('insert into "adm$uzytkownicy" values (?, ?)');
    for (const row of CONTENT.adm$uzytkownicy) account.run(row.konto, String(row.telefon));
    database.close();
    const query =
      'select u.telefon, s.user_name from adm$uzytkownicy u join apex_workspace_sessions s on s.user_name = u.konto where s.apex_session_id = :s';
    const lookup = sqlLookup({ url: `sqlite:${file}`, query, timeoutMs: 1_000, onTrouble });
    await checkAll(lookup);
    expect(await find(lookup, '7')).toEqual({ phone: '735', user: 'EWA' });
    await lookup.close();
    await lookup.close();
  });
});

describe('http', () => {
  let server: Server;
  let url = '';
  const asked: string[] = [];
  beforeAll(async () => {
    server = createServer((req, res) => {
      const session = decodeURIComponent(new URL(req.url ?? '', 'http://x').searchParams.get('s') ?? '');
      asked.push(session);
      if (session === 'slow') return;
      const answers: Record<string, [number, string]> = {
        1: [200, '{"phone":"734","user":"JAN"}'],
        2: [200, '{"phone":null}'],
        3: [500, ''],
        4: [200, 'no json'],
        5: [200, '{"phone":5}'],
        6: [200, JSON.stringify({ phone: 'x'.repeat(100_000) })],
        7: [302, ''],
      };
      const [status, body] = answers[session] ?? [404, 'nothing'];
      res.writeHead(status, { location: '/elsewhere' }).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/?s={session}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  test('200, 404, and everything else', async () => {
    const lookup = httpLookup({ url });
    expect(await find(lookup, '1')).toEqual({ phone: '734', user: 'JAN' });
    expect(await find(lookup, '2')).toBeNull();
    expect(await find(lookup, 'a&b=c/..')).toBeNull();
    expect(asked).toContain('a&b=c/..');
    for (const session of ['3', '4', '5', '6', '7']) await expect(find(lookup, session), session).rejects.toThrow();
    await lookup.close();
    await expect(find(lookup, '1')).rejects.toThrow();
  });

  test('look-ups at once are bounded, and those that wait for their turn', async () => {
    const lookup = httpLookup({ url });
    const before = asked.length;
    const end = new AbortController();
    const all = Promise.allSettled(Array.from({ length: 50 }, () => lookup.find('slow', end.signal)));
    await expect.poll(() => asked.length - before).toBe(32);
    const gate = new Gate(1, 2);
    const works = Array.from({ length: 3 }, () => gate.run(end.signal, () => new Promise(() => undefined)));
    await expect(gate.run(end.signal, () => Promise.resolve())).rejects.toThrow('too many lookups');
    expect(asked.length - before).toBe(32);
    end.abort();
    await all;
    await Promise.allSettled(works.slice(1));
  });

  test('ends with its signal, also while it waits for its turn', async () => {
    const lookup = httpLookup({ url });
    const end = new AbortController();
    const waiting = Array.from({ length: 100 }, () => lookup.find('slow', end.signal));
    const settled = Promise.allSettled(waiting);
    end.abort();
    expect((await settled).every((one) => one.status === 'rejected')).toBe(true);
    expect(await find(lookup, '1')).toEqual({ phone: '734', user: 'JAN' });
  });
});

test('a setting that is missing is named', () => {
  const none = { timeoutMs: 1, file: { path: null }, sql: { url: null, query: null }, http: { url: null } };
  expect(openTapiLookup({ ...none, adapter: 'database' }, onTrouble)).toBeNull();
  expect(() => openTapiLookup({ ...none, adapter: 'sql' }, onTrouble)).toThrow('tapi.lookup.sql.url is not set');
});

test.each(['lookup.example/{session}', 'http://user:geheim@lookup.example/{session}', 'file:///etc/{session}'])(
  'an address that no request can go to is refused at the start, without a word of it: %s',
  (url) => {
    // Later its error would name the address, and with it the session (TM DB-5).
    expect(() => httpLookup({ url })).toThrow(/^tapi\.lookup\.http\.url [a-z, ]+$/);
  },
);

test('a file of another form fails each time, as long as nothing good was read', async () => {
  const path = join(folder, 'other-form.json');
  await writeFile(path, '{"apex_workspace_sessions":[]}');
  const lookup = fileLookup({ path, onTrouble });
  for (let i = 0; i < 2; i++) await expect(find(lookup, '1')).rejects.toThrow('expected form');
});
