import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { beforeAll, expect, test } from 'vitest';
import { describeWithPeers } from '../../../../test/kit/peer.ts';
import { AppSession } from '../../src/session/session.ts';
import { AppService } from '../../src/service/app-service.ts';
import { selfSigned } from '../certificate.ts';
import { PASSWORD, TEXTS } from './kit.ts';

describeWithPeers(['openssl'], 'Node against Node over wss', () => {
  let tls: { readonly key: string; readonly cert: string };
  beforeAll(() => {
    tls = selfSigned();
  });

  async function started(): Promise<AsyncDisposable & { readonly url: string }> {
    const service = new AppService({ path: '/', password: PASSWORD });
    service.api('', { Echo: ({ t }) => ({ t }) });
    const server = createServer(tls);
    service.mount(server);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return {
      url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/`,
      async [Symbol.asyncDispose]() {
        await service.close();
        server.closeAllConnections();
        server.close();
        await once(server, 'close');
      },
    };
  }
  const options = { app: 'tool', login: { password: PASSWORD }, reconnect: false } as const;

  test('every text makes the round trip', async () => {
    await using service = await started();
    await using session = await AppSession.open({ ...options, url: service.url, ca: tls.cert });
    for (const t of Object.values(TEXTS)) expect(await session.request('', 'Echo', { t })).toMatchObject({ t });
  });

  test('a certificate that nobody vouches for is refused, unless it shall not be looked at', async () => {
    await using service = await started();
    await expect(AppSession.open({ ...options, url: service.url })).rejects.toMatchObject({
      code: 'connect-failed',
      reason: expect.stringContaining('self-signed'),
    });
    await using session = await AppSession.open({ ...options, url: service.url, rejectUnauthorized: false });
    expect(session.isUp).toBe(true);
  });
});
