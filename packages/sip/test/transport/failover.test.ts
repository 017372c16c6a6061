import { expect, test } from 'vitest';
import { createUserAgent, locate, nodeResolver } from '../../src/index.ts';
import type { Protocol } from '../../src/index.ts';
import { startDnsServer } from '../dns-server.ts';
import { closing, openSide } from './stand.ts';

test.each(['tcp', 'tls'] as const)(
  'RFC 3263 4.3 by %s: the first server of a domain is dead, the second one answers',
  async (protocol) => {
    const dead = await openSide({ protocols: [protocol] });
    const alive = await openSide({ protocols: [protocol] });
    const [first, second] = [dead, alive].map((side) => side.listener(protocol).local.port);
    await dead.transports.close();
    const service = protocol === 'tls' ? '_sips._tcp.sip.test' : '_sip._tcp.sip.test';
    const dns = closing(
      await startDnsServer({
        a: { 'one.sip.test': ['127.0.0.1'], 'two.sip.test': ['127.0.0.1'] },
        naptr: {
          'sip.test': [
            {
              order: 1,
              preference: 1,
              flags: 's',
              service: protocol === 'tls' ? 'SIPS+D2T' : 'SIP+D2T',
              replacement: service,
            },
          ],
        },
        srv: {
          [service]: [
            { priority: 1, weight: 0, port: first ?? 0, name: 'one.sip.test' },
            { priority: 2, weight: 0, port: second ?? 0, name: 'two.sip.test' },
          ],
        },
      }),
      (own) => own.close(),
    );
    const resolver = nodeResolver({ servers: [dns.address] });
    const protocols: readonly Protocol[] = ['udp', 'tcp', 'tls'];
    const caller = await openSide({ protocols });
    const resolve = (uri: Parameters<typeof locate>[0]): ReturnType<typeof locate> =>
      locate(uri, { resolver, protocols });
    const alice = closing(createUserAgent({ transports: caller.transports, resolve }), (own) => own.close());
    closing(createUserAgent({ transports: alive.transports }), (own) => own.close());
    // The certificate bears the domain's name, not the server's (RFC 5922 4).
    const response = await alice.request('OPTIONS', 'sip:bob@sip.test');
    expect(response.status).toBe(200);
    expect(response.headers.via?.transport).toBe(protocol.toUpperCase());
    expect(dns.asked.slice(0, 2)).toEqual(['NAPTR sip.test', `SRV ${service}`]);
  },
);
