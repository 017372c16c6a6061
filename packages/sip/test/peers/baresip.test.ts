import { afterEach, expect, test } from 'vitest';
import { describeWithPeers } from '../../../../test/kit/peer.ts';
import { until } from '../../../../test/kit/wait.ts';
import { Headers, makeRequest, routeOf } from '../../src/index.ts';
import type { SipResponse } from '../../src/index.ts';
import { makeCertificate } from '../certificate.ts';
import { startPhone } from './baresip.ts';
import { startRegisteringServer } from './registering-server.ts';

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

describeWithPeers(['baresip', 'openssl'], 'baresip phones', () => {
  test.each(['udp', 'tcp', 'tls'] as const)(
    'register with digest by %s, are reached on their flow, and unregister',
    async (transport) => {
      const identity = makeCertificate('sip.test');
      const server = await startRegisteringServer({
        protocols: ['udp', 'tcp', 'tls'],
        identity,
        users: { alice: 'secret' },
      });
      open.push(() => server.close());
      const phone = await startPhone({
        name: 'alice',
        password: 'secret',
        server: server.listener(transport).local,
        transport,
        ...(transport === 'tls' ? { tls: identity } : {}),
      });
      open.push(() => phone.stop());
      expect(await phone.registered()).toBe('OK');
      expect(server.answered.slice(0, 2)).toEqual(['REGISTER 401', 'REGISTER 200']);
      const [binding] = await server.registrar.find('sip:alice@127.0.0.1');
      expect(binding?.flow?.protocol).toBe(transport);

      // A request of ours goes over the phone's own connection (trap 2), or to where it sent from.
      const count = server.transports.connectionCount;
      const route = binding === undefined ? undefined : routeOf(binding);
      const headers = new Headers([
        ['From', '<sip:server@tieline.test>;tag=1'],
        ['To', '<sip:alice@tieline.test>'],
        ['Call-ID', `options-${transport}`],
        ['CSeq', '1 OPTIONS'],
        ['Max-Forwards', 70],
      ]);
      if (route?.flow === undefined) throw new Error('no flow');
      const request = makeRequest({ method: 'OPTIONS', uri: route.requestUri, headers });
      let response: SipResponse | undefined;
      server.layer.request(request, route.flow, {
        onResponse: (got) => (response = got),
        onFailure: (cause, error) => expect.unreachable(`${cause} ${String(error)}`),
      });
      await until(() => response, 'the answer of the phone');
      expect(response?.status).toBe(200);
      expect(server.transports.connectionCount).toBe(count);
      expect(count).toBe(transport === 'udp' ? 0 : 1);

      await phone.stop();
      await until(
        async () => (await server.registrar.find('sip:alice@127.0.0.1')).length === 0,
        'the end of the binding',
      );
    },
  );

  test('a wrong password is refused', async () => {
    const server = await startRegisteringServer({ protocols: ['udp'], users: { alice: 'secret' } });
    open.push(() => server.close());
    const phone = await startPhone({
      name: 'alice',
      password: 'wrong',
      server: server.listener('udp').local,
      transport: 'udp',
    });
    open.push(() => phone.stop());
    expect(await phone.registered()).toBe('ERR');
    expect(server.location.size).toBe(0);
    expect(server.answered).not.toContain('REGISTER 200');
  });
});
