import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWithPeers, findProgram } from '../../../../../test/kit/peer.ts';
import { until } from '../../../../../test/kit/wait.ts';
import { type Lookup, sqlLookup } from './index.ts';

/** PostgreSQL does not run as root: there its own account is used. */
function account(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const idOf = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: idOf('-u'), gid: idOf('-g') };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const QUERY =
  'select u.telefon, s.user_name::text from adm$uzytkownicy u join apex_workspace_sessions s on s.user_name = u.konto where s.apex_session_id = :s';

describeWithPeers(['initdb', 'postgres'], 'sql on PostgreSQL', () => {
  let stop = (): Promise<unknown> => Promise.resolve();
  let lookup: Lookup;
  const troubles: unknown[] = [];

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tieline-pg-'));
    const who = account();
    if (who.uid !== undefined && who.gid !== undefined) await chown(folder, who.uid, who.gid);
    const data = join(folder, 'data');
    const options = { ...who, cwd: folder, stdio: 'ignore' } as const;
    execFileSync(findProgram('initdb') ?? '', ['-D', data, '-A', 'trust', '-U', 'app', '--no-sync'], options);
    const port = await freePort();
    const flags = ['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', folder, '-F'];
    const server = spawn(findProgram('postgres') ?? '', flags, options);
    stop = async () => {
      const ended = once(server, 'exit');
      server.kill('SIGINT');
      await ended;
      await rm(folder, { recursive: true, force: true });
    };
    const url = `postgres://app@127.0.0.1:${port}/postgres`;
    await until(() => fill(url), 'PostgreSQL', 20_000);
    lookup = sqlLookup({ url, query: QUERY, timeoutMs: 2_000, onTrouble: (error) => troubles.push(error) });
  });
  afterAll(() => stop());

  async function fill(connectionString: string): Promise<boolean> {
    const client = new Client({ connectionString });
    try {
      await client.connect();
    } catch (error) {
      if (error instanceof Error) return false;
      throw error;
    }
    await client.query(`create table apex_workspace_sessions (apex_session_id numeric, user_name text);
      create table adm$uzytkownicy (konto text, telefon text);
      insert into apex_workspace_sessions values (14523990011223, 'JAN'), (8, 'TWO');
      insert into adm$uzytkownicy values ('JAN', '734'), ('TWO', '1'), ('TWO', '2')`);
    await client.end();
    return true;
  }

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
    await stop();
    stop = () => Promise.resolve();
    await expect(lookup.find('9', new AbortController().signal)).rejects.toThrow();
    await lookup.close();
    expect(troubles.length).toBeLessThanOrEqual(5);
  });
});
