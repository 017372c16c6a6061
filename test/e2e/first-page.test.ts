import { expect as expectPage, type BrowserContextOptions, type Page } from '@playwright/test';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWithPeers } from '../kit/peer.ts';
import { startWorld, type World } from '../kit/world.ts';
import { openWindows, seriousFindings, signIn, tabTo, writeTo, type Windows } from './page-kit.ts';

const NARROW = { viewport: { width: 360, height: 740 } };

describeWithPeers(['chromium'], 'the first page', () => {
  let world: World;
  let windows: Windows;
  let alice: Page;
  let bob: Page;

  beforeAll(async () => {
    windows = await openWindows();
    world = await startWorld();
    [alice, bob] = await Promise.all([signedIn('alice'), signedIn('bob')]);
  });
  afterAll(async () => {
    await windows[Symbol.asyncDispose]();
    await world.close();
  });

  async function signedIn(name: string): Promise<Page> {
    const page = await windows.open(world.url);
    await signIn(page, name);
    await page.getByRole('navigation', { name: 'People' }).waitFor();
    await expectPage(page.getByText('Connecting…')).toHaveCount(0);
    return page;
  }

  const messages = (page: Page): Promise<string[]> => page.locator('.message .text').allTextContents();
  const row = (page: Page, text: RegExp) => page.getByRole('navigation').getByRole('button', { name: text });
  const call = (page: Page) => page.getByRole('region', { name: 'Calls' }).getByRole('group');

  test('a wrong password is refused, the right one signs in, and signing out forgets it', async () => {
    const page = await windows.open(world.url);
    await signIn(page, 'dora', 'wrong');
    await expectPage(page.getByRole('alert')).toHaveText('Name or password is wrong.');
    await page.getByLabel('Password', { exact: true }).fill('demo');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: /^Dora Dunn Available/ }).waitFor();
    expect(await page.evaluate(() => JSON.stringify({ ...sessionStorage, ...localStorage }))).not.toContain('demo');
    await page.reload();
    await page.getByRole('button', { name: /^Dora Dunn/ }).press('Enter');
    await page.getByRole('menuitem', { name: 'Sign out' }).press('Enter');
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    await page.reload();
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    await page.context().close();
  });

  test('two people write to each other with the keyboard alone', async () => {
    await writeTo(alice, 'Bob Brown');
    await alice.keyboard.type('Good morning');
    await expectPage(row(bob, /^Alice Adams.*is typing/)).toBeVisible();
    await alice.keyboard.press('Enter');
    await expectPage(row(bob, /^Alice Adams.*1 unread message/)).toBeVisible();
    expect(await bob.title()).toBe('(1) Tieline');
    await writeTo(bob, 'Alice Adams');
    await expectPage(row(bob, /unread/)).toHaveCount(0);
    await bob.keyboard.type('Two');
    await bob.keyboard.press('Shift+Enter');
    await bob.keyboard.type('lines <b>& no markup</b>');
    await bob.keyboard.press('Enter');
    await alice.locator('.message').getByText('no markup').waitFor();
    await alice.keyboard.type('{"looks":"like JSON"}');
    await alice.keyboard.press('Enter');
    await bob.locator('.message').getByText('looks').waitFor();
    const all = ['Good morning', 'Two\nlines <b>& no markup</b>', '{"looks":"like JSON"}'];
    await expect.poll(() => messages(alice)).toEqual(all);
    expect(await messages(bob)).toEqual(all);
    await bob.reload();
    await writeTo(bob, 'Alice Adams');
    await expect.poll(() => messages(bob)).toEqual(all);
  });

  test('own presence and note are set by keyboard and seen by a contact', async () => {
    const add = bob.getByRole('button', { name: 'Add Alice Adams to your contacts' });
    await add.press('Enter');
    await expectPage(add).toHaveCount(0);
    const menu = alice.getByRole('button', { name: /Your menu/ });
    await menu.press('Enter');
    await alice.getByRole('menuitemradio', { name: 'Do not disturb' }).press('Enter');
    await expectPage(row(bob, /^Alice Adams Do not disturb/)).toBeVisible();
    // While it closes, the focus goes back to its button, and would take the next key.
    await expectPage(alice.getByRole('menu')).toHaveCount(0);
    await menu.press('Enter');
    await alice.getByRole('menuitem', { name: 'Add a note…' }).press('Enter');
    await alice.getByLabel('What your contacts see').fill('Back at two');
    await alice.keyboard.press('Enter');
    await expectPage(row(bob, /^Alice Adams Do not disturb – Back at two/)).toBeVisible();
  });

  test('an incoming call pops up and is answered and ended by keyboard', async () => {
    await alice.getByLabel('Number to call').focus();
    await alice.keyboard.type('202');
    await alice.keyboard.press('Enter');
    await expectPage(call(alice)).toContainText('Calling…');
    await expectPage(call(bob)).toContainText('Incoming call');
    await expectPage(call(bob).getByRole('alert')).toContainText('Incoming call from Alice Adams');
    expect(await bob.title()).toContain('Alice Adams');
    await tabTo(bob, 'Answer');
    await bob.keyboard.press('Enter');
    await expectPage(call(bob)).toContainText('Connected');
    await expectPage(call(alice)).toContainText('Connected');
    await tabTo(bob, 'Hang up');
    await bob.keyboard.press('Enter');
    await expectPage(call(alice)).toContainText('Call ended');
    await expectPage(bob.getByRole('button', { name: /^From Alice Adams/ })).toBeVisible();
    await expectPage(call(bob)).toHaveCount(0);
  });

  test('whoever is typing keeps the cursor when it rings, and declines by Alt+D', async () => {
    await writeTo(bob, 'Carol Cox');
    await bob.keyboard.type('Half a sen');
    await tabTo(alice, /^Call Bob Brown/);
    await alice.keyboard.press('Enter');
    await expectPage(call(bob)).toContainText('Incoming call');
    await bob.keyboard.type('tence');
    expect(await bob.getByRole('textbox', { name: 'Message to Carol Cox' }).inputValue()).toBe('Half a sentence');
    await bob.keyboard.press('Alt+d');
    await expectPage(call(alice)).toContainText('Declined');
  });

  test('what is written while the server is away arrives once when it is back', async () => {
    await writeTo(alice, 'Bob Brown');
    await writeTo(bob, 'Alice Adams');
    await alice.route('**/chat/messages/bob', (route) => route.abort());
    await alice.keyboard.type('sent while nobody listens');
    await alice.keyboard.press('Enter');
    await expectPage(alice.locator('.message[data-delivery=sending]')).toHaveCount(1);
    const restarted = world.restart();
    const lost = alice.getByText('Connection lost. Trying again…');
    await expectPage(lost).toBeVisible();
    await restarted;
    await alice.unroute('**/chat/messages/bob');
    await expectPage(lost).toHaveCount(0);
    await expectPage(alice.locator('.message[data-delivery=sending]')).toHaveCount(0);
    await expect.poll(async () => (await messages(bob)).at(-1)).toBe('sent while nobody listens');
    expect(await messages(alice)).toEqual(await messages(bob));
    expect(await messages(bob)).toHaveLength(4);
  });

  test('HTML of a message is reduced again before it is shown', async () => {
    const html =
      '<b onclick="alert(1)">bold</b><script>document.title="x"</script><img src=x onerror="document.title=\'x\'">' +
      '<a href="javascript:alert(1)">link</a><ul><li>one</ul><svg><style>*{display:none}</style></svg><form><input></form>';
    const message = { id: '99', from: 'carol@example.test', to: 'alice@example.test', body: 'plain', html };
    await alice.route('**/chat/messages?*', (route) =>
      route.fulfill({ json: { conversation: [{ messages: { message: [message] } }] } }),
    );
    await writeTo(alice, 'Carol Cox');
    const text = alice.locator('.message[data-id="99"] .text');
    await expectPage(text).toBeVisible();
    expect(await text.innerHTML()).toBe('<b>bold</b>link<ul><li>one</li></ul>');
    expect(await alice.title()).toBe('Tieline');
    await alice.unroute('**/chat/messages?*');
  });

  test.each<{ what: string; options: BrowserContextOptions }>([
    { what: 'light', options: {} },
    { what: 'dark', options: { colorScheme: 'dark' } },
    { what: 'narrow', options: NARROW },
  ])(
    'axe finds nothing serious, nothing moves, everything fits: $what',
    async ({ options }) => {
      const page = await windows.open(world.url, { ...options, reducedMotion: 'reduce' });
      await page.getByRole('button', { name: 'Sign in' }).waitFor();
      expect(await seriousFindings(page)).toEqual([]);
      await signIn(page, 'carol');
      await page.getByRole('button', { name: /Your menu/ }).press('Enter');
      await page.getByRole('menuitem', { name: 'Sign out' }).waitFor();
      expect(await seriousFindings(page)).toEqual([]);
      await page.keyboard.press('Escape');
      await writeTo(page, 'Bob Brown');
      await page.keyboard.type('Hello https://example.com');
      await page.keyboard.press('Enter');
      await page.locator('.message[data-delivery=sent]').last().waitFor();
      await bob.getByLabel('Number to call').fill('203');
      await bob.keyboard.press('Enter');
      await page.getByRole('button', { name: 'Answer' }).waitFor();
      expect(await call(page).evaluate((card) => getComputedStyle(card).animationName)).toBe('none');
      expect(await seriousFindings(page)).toEqual([]);
      await page.keyboard.press('Alt+a');
      await expectPage(call(page)).toContainText('Connected');
      expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
      await page.getByRole('button', { name: 'Hang up' }).press('Enter');
      await page.context().close();
    },
    90_000,
  );

  test('on a narrow screen one pane shows at a time, and Back leads back', async () => {
    await alice.setViewportSize(NARROW.viewport);
    await alice.getByRole('button', { name: 'Back to people' }).press('Enter');
    const people = alice.getByRole('navigation', { name: 'People' });
    await expectPage(people).toBeVisible();
    await writeTo(alice, 'Bob Brown');
    await expectPage(people).toBeHidden();
    await alice.getByRole('button', { name: 'Back to people' }).press('Enter');
    await expectPage(people).toBeVisible();
    await expectPage(alice.getByRole('textbox', { name: 'Message to Bob Brown' })).toHaveCount(0);
  });

  test('no page complained', () => {
    expect(windows.complaints).toEqual([]);
  });
});
