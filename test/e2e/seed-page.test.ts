import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from '@playwright/test';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { describeWithPeers, findProgram } from '../kit/peer.ts';
import { TapiServerSimulator } from '../kit/tapi-server.ts';
import { until } from '../kit/wait.ts';
import { startWorld, type World } from '../kit/world.ts';
import { serveSeedPage } from './seed-page.ts';

const SESSION = '14523990011223';
/** TM §8: the sessions of a foreign application, as the lookup `file` reads them. */
const SESSIONS = {
  apex_workspace_sessions: [{ apex_session_id: SESSION, user_name: 'JAN' }],
  adm$uzytkownicy: [{ konto: 'JAN', telefon: '734' }],
};

describeWithPeers(['chromium'], 'the seed document’s page in Chromium (TM §8)', () => {
  const tapiServer = new TapiServerSimulator();
  let folder = '';
  let world: World;
  let site: Awaited<ReturnType<typeof serveSeedPage>>;
  let browser: Browser;
  const pages: Page[] = [];
  const complaints: string[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tieline-seed-page-'));
    await writeFile(join(folder, 'sessions.json'), JSON.stringify(SESSIONS));
    await tapiServer.open();
    world = await startWorld({
      TIELINE_TAPI_SERVER: `127.0.0.1:${tapiServer.port}`,
      TIELINE_TAPI_RECONNECT_MS: '500',
      TIELINE_TAPI_LOOKUP_ADAPTER: 'file',
      TIELINE_TAPI_LOOKUP_FILE_PATH: join(folder, 'sessions.json'),
      TIELINE_TAPI_SOCKJS_DISCONNECT_DELAY_MS: '1000',
    });
    site = await serveSeedPage();
    browser = await chromium.launch({ executablePath: findProgram('chromium') ?? '' });
    await until(() => tapiServer.state.connected, 'the TapiServer to be connected');
  });
  afterEach(async () => {
    for (const page of pages.splice(0)) await page.close();
    await until(() => tapiServer.state.registered.length === 0, 'nobody to listen', 15_000);
    expect(tapiServer.state.violations).toEqual([]);
    expect(complaints.splice(0)).toEqual([]);
    tapiServer.reset();
  });
  afterAll(async () => {
    await browser.close();
    await site.close();
    await world.close();
    await tapiServer.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function open(transport: string): Promise<Page> {
    const page = await browser.newPage();
    pages.push(page);
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(
      `${site.url}?${new URLSearchParams({ server: world.url, session: SESSION, transport }).toString()}`,
    );
    await page.getByText('LISTENING STARTED for number: 734', { exact: true }).waitFor();
    return page;
  }
  const heard = (): string[] => tapiServer.state.log.filter(({ dir }) => dir === 'in').map(({ payload }) => payload);
  const calls = (page: Page): Promise<string[]> => page.locator('#calls li').allTextContents();
  async function dial(page: Page, number: string, button: string): Promise<void> {
    await page.getByLabel('Number').fill(number);
    await page.getByRole('button', { name: button, exact: true }).click();
    await page.getByText(`CALLING NUMBER ${number}`, { exact: true }).waitFor();
    await until(() => heard().includes(`CALL,734,${number}`), 'CALL');
  }

  test.each(['websocket', 'xhr-streaming', 'xhr-polling'])(
    'all steps on %s',
    { timeout: 60_000 },
    async (transport) => {
      const first = await open(transport);
      expect(await first.locator('#session').textContent()).toMatch(/^[a-z0-5]{8}$/);
      expect(heard()).toEqual(['LISTEN,734']);
      tapiServer.ring('0606413737', '734');
      await until(async () => (await calls(first)).length > 0, 'the screen to pop');
      await dial(first, '606413737', 'Dial');
      await dial(first, '606413738', 'Dial as the document says');
      expect(await calls(first)).toEqual(['{"name":"UNKNOWN","phone":"0606413737"}']);

      const second = await open(transport);
      tapiServer.ring('444555666', '734');
      for (const page of [first, second])
        await until(async () => (await calls(page)).includes('{"name":"UNKNOWN","phone":"444555666"}'), 'both to pop');
      expect(heard()).toEqual(['LISTEN,734', 'CALL,734,606413737', 'CALL,734,606413738']);

      const before = heard().length;
      await first.close();
      await until(
        async () => (await (await fetch(`${world.url}/healthz`)).text()).includes('"sessions":1'),
        'one to be left',
      );
      tapiServer.drop('rst');
      await until(() => heard().length > before, 'LISTEN after the loss', 6_000);
      expect(heard().slice(before)).toEqual(['LISTEN,734']);
      tapiServer.ring('123654789', '734');
      await until(async () => (await calls(second)).some((text) => text.includes('123654789')), 'the second to pop');
      await second.close();
      await until(() => heard().at(-1) === 'STOPLISTEN,734', 'the end of the listening');
    },
  );

  test('eventsource', { timeout: 60_000 }, async () => {
    const page = await browser.newPage();
    pages.push(page);
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(
      `${site.url}?${new URLSearchParams({ server: world.url, session: SESSION, transport: 'eventsource' }).toString()}`,
    );
    await page.getByText('LISTENING STARTED for number: 734', { exact: true }).waitFor();
    tapiServer.ring('1', '734');
    await until(async () => (await calls(page)).length === 1, 'the screen to pop');
  });
});
