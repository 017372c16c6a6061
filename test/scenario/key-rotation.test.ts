import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PbxApp } from '../kit/pbx-app.ts';
import { ServerProcess } from '../kit/server-process.ts';

const PATIENCE_MS = 90_000;

/** An App object signs in: its sealed password can be opened. */
async function signsIn(server: ServerProcess): Promise<boolean> {
  await using app = await PbxApp.open(server.port);
  return (await app.login({ app: 'cti' }))['ok'] === true;
}

test(
  'the key file: a rotation makes a new key, after which the old one can go',
  async () => {
    await using server = await ServerProcess.start();
    const file = join(server.data, 'secret.key');
    const lines = async (): Promise<readonly string[]> => (await readFile(file, 'utf8')).trim().split('\n');
    const [old = ''] = await lines();
    expect(await server.command('secrets', 'rotate')).toMatchObject({
      code: 1,
      output: expect.stringContaining('open'),
    });
    expect(await lines()).toEqual([old]);
    await server.stop();
    const rotated = await server.command('secrets', 'rotate');
    expect(rotated.code, rotated.output).toBe(0);
    // Of five users the digest secret and the chat device's, three SIP devices, six App objects.
    expect(rotated.output).toContain('Secrets sealed anew: 19.');
    const [fresh = '', ...others] = await lines();
    expect(others).toEqual([old]);
    await writeFile(file, `${fresh}\n`);
    expect((await server.command('secrets', 'list')).output).toMatch(/^key +secrets *\n\w{8} +19 +seals\n$/);
    await server.start();
    expect(await signsIn(server)).toBe(true);

    await server.stop();
    await writeFile(file, `${old}\n`);
    const lost = await server.command('secrets', 'list');
    expect(lost.output).toMatch(/0 +seals\n\w{8} +19 +NOT HERE/);
  },
  PATIENCE_MS,
);

test(
  'configured keys: the new one before the old one, a rotation, and the new one alone',
  async () => {
    const [old, fresh] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];
    const env = { TIELINE_SECRET_KEY: old };
    await using server = await ServerProcess.start(env);
    await server.stop();
    env.TIELINE_SECRET_KEY = `${fresh},${old}`;
    await server.start();
    expect(await signsIn(server)).toBe(true);
    await server.stop();
    expect((await server.command('secrets', 'list')).output).toMatch(/0 +seals\n\w{8} +19 +opens/);
    expect(await server.command('secrets', 'rotate')).toMatchObject({ code: 0 });
    env.TIELINE_SECRET_KEY = fresh;
    await server.start();
    expect(await signsIn(server)).toBe(true);
  },
  PATIENCE_MS,
);
