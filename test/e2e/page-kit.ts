import { AxeBuilder } from '@axe-core/playwright';
import { chromium, type Browser, type BrowserContextOptions, type Page } from '@playwright/test';
import { buildWeb } from '../../packages/server/src/cli/web-build.ts';
import { findProgram } from '../kit/peer.ts';

/** A real browser, and pages in windows of their own. */
export interface Windows extends AsyncDisposable {
  /** A page of its own session, on the address. */
  open(url: string, options?: BrowserContextOptions): Promise<Page>;
  /** What pages complained about: exceptions, errors on the console. */
  readonly complaints: readonly string[];
}

/** Builds the web client where that is needed and starts Chromium. */
export async function openWindows(): Promise<Windows> {
  await buildWeb(() => undefined);
  const executablePath = findProgram('chromium');
  if (executablePath === undefined) throw new Error('chromium is not installed');
  const browser: Browser = await chromium.launch({ executablePath });
  const complaints: string[] = [];
  return {
    complaints,
    async open(url, options) {
      const context = await browser.newContext({ viewport: { width: 1100, height: 720 }, ...options });
      context.setDefaultTimeout(10_000);
      const page = await context.newPage();
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('console', (message) => {
        // What the server refuses, and what can't be reached, Chromium calls an error; the page shows both in its own way.
        const isNetwork = /Failed to load resource|net::ERR/.test(message.text());
        if (message.type() === 'error' && !isNetwork) complaints.push(message.text());
      });
      await page.goto(url);
      return page;
    },
    [Symbol.asyncDispose]: () => browser.close(),
  };
}

/** Signs in with nothing but the keyboard: the page puts the cursor where it belongs. */
export async function signIn(page: Page, name: string, password = 'demo'): Promise<void> {
  await page.getByRole('button', { name: 'Sign in' }).waitFor();
  await page.keyboard.type(name);
  await page.keyboard.press('Tab');
  await page.keyboard.type(password);
  await page.keyboard.press('Enter');
}

/** Opens the conversation with somebody by keyboard. */
export async function writeTo(page: Page, person: string): Promise<void> {
  await page
    .getByRole('navigation', { name: 'People' })
    .getByRole('button', { name: new RegExp(`^${person}`) })
    .focus();
  await page.keyboard.press('Enter');
  await page.getByRole('textbox', { name: `Message to ${person}` }).waitFor();
}

/** Presses Tab until the control of this name has the focus. */
export async function tabTo(page: Page, name: string | RegExp): Promise<void> {
  const wanted = page.getByRole('button', { name });
  for (let i = 0; i < 40; i++) {
    if (await wanted.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not lead to ${String(name)}`);
}

/** What axe calls serious or critical, by rule and place. */
export async function seriousFindings(page: Page): Promise<readonly string[]> {
  // Without frames on the page there is nothing to gather from others; that saves a window for each look.
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(' ')} ${node.failureSummary ?? ''}`));
}
