import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openAdministration } from '../../packages/server/src/administration.ts';
import { loadConfig } from '../../packages/server/src/config/index.ts';
import { PbxApp } from '../kit/pbx-app.ts';
import { startWorld } from '../kit/world.ts';

/** Of five users the digest secret and the chat device's, three SIP devices, six App objects. */
const SECRETS = 19;

let folder: string;
/** Settings of the server and of the commands; a test changes the key. */
let env: Record<string, string>;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tieline-rotation-'));
  env = { TIELINE_DEMO: '1', TIELINE_DATA: folder };
});
afterEach(() => rm(folder, { recursive: true }));

const administration = () => openAdministration(loadConfig({ env }));

/** An App object signs in: its sealed password can be opened. */
async function signsIn(): Promise<boolean> {
  await using world = await startWorld(env);
  await using app = await PbxApp.open(world.port);
  return (await app.login({ app: 'cti' }))['ok'] === true;
}

test('the key file: a rotation makes a new key, after which the old one can go', async () => {
  expect(await signsIn()).toBe(true);
  const file = join(folder, 'secret.key');
  const lines = async (): Promise<readonly string[]> => (await readFile(file, 'utf8')).trim().split('\n');
  const [old = ''] = await lines();
  {
    await using own = await administration();
    expect(await own.rotateSecrets()).toBe(SECRETS);
    expect(await own.sealedSecrets()).toMatchObject([
      { seals: true, isHere: true, secrets: SECRETS },
      { seals: false, isHere: true, secrets: 0 },
    ]);
  }
  const [fresh = '', ...others] = await lines();
  expect(others).toEqual([old]);
  await writeFile(file, `${fresh}\n`);
  expect(await signsIn()).toBe(true);

  await writeFile(file, `${old}\n`);
  await using lost = await administration();
  expect(await lost.sealedSecrets()).toMatchObject([
    { seals: true, isHere: true, secrets: 0 },
    { seals: false, isHere: false, secrets: SECRETS },
  ]);
});

test('configured keys: the new one before the old one, a rotation, and the new one alone', async () => {
  const [old, fresh] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];
  env['TIELINE_SECRET_KEY'] = old;
  expect(await signsIn()).toBe(true);
  env['TIELINE_SECRET_KEY'] = `${fresh},${old}`;
  expect(await signsIn()).toBe(true);
  {
    await using own = await administration();
    expect(await own.sealedSecrets()).toMatchObject([{ secrets: 0 }, { secrets: SECRETS }]);
    expect(await own.rotateSecrets()).toBe(SECRETS);
    expect(await own.rotateSecrets()).toBe(0);
  }
  env['TIELINE_SECRET_KEY'] = fresh;
  expect(await signsIn()).toBe(true);
});
