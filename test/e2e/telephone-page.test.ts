import { expect as expectPage, type Page } from '@playwright/test';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWithPeers } from '../kit/peer.ts';
import { TapiServerSimulator } from '../kit/tapi-server.ts';
import { until } from '../kit/wait.ts';
import { startWorld, type World } from '../kit/world.ts';
import { openWindows, signIn, tabTo, type Windows } from './page-kit.ts';

describeWithPeers(['chromium'], 'the first page with a TapiServer behind it', () => {
  let telephones: TapiServerSimulator;
  let world: World;
  let windows: Windows;
  let page: Page;

  beforeAll(async () => {
    telephones = new TapiServerSimulator();
    await telephones.open();
    world = await startWorld({ TIELINE_TAPI_SERVER: `127.0.0.1:${telephones.port}` });
    windows = await openWindows();
    page = await windows.open(world.url);
    await signIn(page, 'alice');
    await page.getByRole('navigation', { name: 'People' }).waitFor();
    await until(() => telephones.state.registered.includes('201'), 'the page listens to 201');
  });
  afterAll(async () => {
    await windows[Symbol.asyncDispose]();
    await world.close();
    await telephones[Symbol.asyncDispose]();
  });

  const call = () => page.getByRole('region', { name: 'Calls' }).getByRole('group');

  test('a call that the TapiServer announces pops up; what it can not do is said', async () => {
    telephones.ring('0606413737', '201');
    await expectPage(call()).toContainText('0606413737');
    await tabTo(page, 'Answer');
    await page.keyboard.press('Enter');
    await expectPage(call()).toContainText('Answer it on your telephone.');
    await page.getByRole('button', { name: 'Hide this call' }).press('Enter');
    await expectPage(call()).toHaveCount(0);
  });

  test('a call from a colleague shows the name', async () => {
    telephones.ring('202', '201');
    await expectPage(call()).toContainText('Bob Brown');
  });

  test('dialling reaches the TapiServer', async () => {
    await page.getByLabel('Number to call').fill('606 413-737');
    await page.keyboard.press('Enter');
    await until(() => telephones.state.log.some(({ payload }) => payload === 'CALL,201,606413737'), 'the CALL');
    await expectPage(page.getByLabel('Number to call')).toHaveValue('');
    await page.getByLabel('Number to call').fill('not a number');
    await page.keyboard.press('Enter');
    await expectPage(page.getByRole('alert').filter({ hasText: /number/i })).toBeVisible();
  });

  test('closing the page ends the listening', async () => {
    await page.close();
    await until(() => telephones.state.registered.length === 0, 'STOPLISTEN');
    expect(telephones.state.violations).toEqual([]);
    expect(windows.complaints).toEqual([]);
  });
});
