import { once } from 'node:events';
import { mkdtemp, rename, rm, copyFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Certificate, makeCertificate, trust } from '../kit/certificate.ts';
import { ChatApiClient } from '../kit/chat-api-client.ts';
import { PbxApp } from '../kit/pbx-app.ts';
import { StompApp } from '../kit/stomp-app.ts';
import { until } from '../kit/wait.ts';
import { startWorld, type World } from '../kit/world.ts';

const PATIENCE_MS = 120_000;

let folder: string;
let world: World;
let before: Certificate;
let after: Certificate;
/** Base URLs of the listeners; the last one is plain. */
let urls: readonly string[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tieline-tls-'));
  before = makeCertificate(folder, 'before');
  after = makeCertificate(folder, 'after');
  trust(before, after);
  await install('one', before);
  await install('two', before);
  const tls = (name: string) => ({ cert: join(folder, `${name}.live.pem`), key: join(folder, `${name}.live.key`) });
  const host = '127.0.0.1';
  const listen = [
    { host, port: 0, tls: tls('one') },
    { host, port: 0, tls: tls('two') },
    { host, port: 0 },
  ];
  world = await startWorld({ HOST: '', PORT: '', TIELINE_HTTP_LISTEN: JSON.stringify(listen) });
  urls = world.server.urls.map((url) => url.replace('127.0.0.1', 'localhost'));
});
afterAll(async () => {
  await world.close();
  await rm(folder, { recursive: true });
});

/** Puts a certificate into the place of a listener's files as those do it who renew them: whole, by renaming. */
async function install(listener: string, { cert, key }: Certificate): Promise<void> {
  for (const [file, end] of [
    [cert, 'pem'],
    [key, 'key'],
  ] as const) {
    const place = join(folder, `${listener}.live.${end}`);
    await copyFile(file, `${place}.new`);
    await rename(`${place}.new`, place);
  }
}

/** The common name of the certificate that a new connection is shown. */
async function shownBy(url: string): Promise<unknown> {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', servername: 'localhost' });
  await once(socket, 'secureConnect');
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return CN;
}

/** bob on all surfaces at one listener. `hears` sends him a text and waits until each session has it. */
async function bobAt(url: string) {
  const alice = await ChatApiClient.signIn(url, 'alice');
  const bob = await ChatApiClient.signIn(url, 'bob');
  const events = await bob.events();
  const app = await PbxApp.signIn(url, { sip: 'bob' });
  app.acceptChats();
  await app.register({ hw: 'chat-bob' });
  const pages = await Promise.all(
    (['websocket', 'xhr-streaming'] as const).map(async (transport) => {
      const page = await StompApp.signIn(url, 'bob', transport);
      page.subscribe('/user/queue/messages');
      await page.send('/tapi/stop', '');
      return page;
    }),
  );
  return {
    async hears(body: string): Promise<void> {
      await alice.say('bob', body);
      await events.take(({ data }) => data.body === body, `${body} on SSE`);
      await until(() => app.texts.some(({ data }) => data === body), `${body} on AppWebsocket`);
      for (const page of pages)
        await until(() => page.messages.some(({ json }) => json?.['body'] === body), `${body} on STOMP`);
    },
    async close(): Promise<void> {
      events.close();
      for (const session of [app, ...pages]) await session.close();
    },
  };
}

test(
  'every TLS listener serves a changed certificate without a restart; sessions that stand go on',
  async () => {
    const [one = '', two = '', plain = ''] = urls;
    expect([one, two, plain].map((url) => url.split(':')[0])).toEqual(['https', 'https', 'http']);
    expect([await shownBy(one), await shownBy(two)]).toEqual(['before', 'before']);
    const old = await bobAt(one);
    await old.hears('before the change');
    await install('one', after);
    await until(async () => (await shownBy(one)) === 'after', 'the new certificate', PATIENCE_MS);
    expect(await shownBy(two)).toBe('before');
    await install('two', after);
    await old.hears('after the change');
    await old.close();
    const young = await bobAt(one);
    await young.hears('under the new certificate');
    await young.close();
    await until(
      async () => (await shownBy(two)) === 'after',
      'the new certificate on the second listener',
      PATIENCE_MS,
    );
    expect((await fetch(`${plain}/healthz`)).status).toBe(200);
  },
  2 * PATIENCE_MS,
);
