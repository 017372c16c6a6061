import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { chromium } from '@playwright/test';
import type { Browser, Page } from '@playwright/test';
import { build } from 'esbuild';
import { findProgram } from '../../../../test/kit/peer.ts';

export interface BrowserPhoneOptions {
  /** `ws://127.0.0.1:…` */
  readonly url: string;
  readonly name: string;
  readonly password: string;
  readonly domain: string;
}

/** A Chromium with JsSIP in a page; each phone is a page of its own. */
export interface BrowserStand {
  readonly browser: Browser;
  openPhone(options: BrowserPhoneOptions): Promise<Page>;
  close(): Promise<void>;
}

const FLAGS = [
  '--no-sandbox',
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  '--autoplay-policy=no-user-gesture-required',
  '--allow-loopback-in-peer-connection',
  '--disable-background-networking',
];

/** In the page: `phone` is the JsSIP user agent, `phoneEvents` what happened to it. */
const SCRIPT = `
import JsSIP from 'jssip';
window.JsSIP = JsSIP;
window.startPhone = ({ url, name, password, domain }) => {
  const phone = new JsSIP.UA({
    sockets: [new JsSIP.WebSocketInterface(url)],
    uri: 'sip:' + name + '@' + domain,
    password,
    register_expires: 120,
    session_timers: true,
  });
  window.phone = phone;
  window.phoneEvents = [];
  for (const type of ['connected', 'disconnected', 'registered', 'unregistered', 'registrationFailed', 'newRTCSession'])
    phone.on(type, (event) => window.phoneEvents.push({ type, cause: event?.cause }));
  phone.start();
};
`;

export async function startBrowser(): Promise<BrowserStand> {
  const executablePath = findProgram('chromium');
  if (executablePath === undefined) throw new Error('chromium is not installed');
  const bundle = await build({
    stdin: { contents: SCRIPT, resolveDir: import.meta.dirname },
    bundle: true,
    write: false,
    format: 'iife',
    logLevel: 'error',
  });
  const script = bundle.outputFiles[0]?.text ?? '';
  const server = createServer((request, response) => {
    const isScript = request.url === '/phone.js';
    response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html' });
    response.end(isScript ? script : '<!doctype html><title>phone</title><script src="/phone.js"></script>');
  });
  const port = await listen(server);
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  return {
    browser,
    async openPhone(options) {
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${port}/`);
      await page.evaluate(`startPhone(${JSON.stringify(options)})`);
      return page;
    },
    async close() {
      await browser.close();
      server.closeAllConnections();
      server.close();
    },
  };
}

export interface BrowserPhoneEvent {
  readonly type: string;
  readonly cause?: string;
}

/** What the page's phone reported so far. */
export async function eventsOf(page: Page): Promise<readonly BrowserPhoneEvent[]> {
  return await page.evaluate('phoneEvents');
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => {
      const bound = server.address();
      resolve(typeof bound === 'object' && bound !== null ? bound.port : 0);
    }),
  );
}
