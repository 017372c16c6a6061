import { afterEach, expect, test } from 'vitest';
import { describeWithPeers } from '../../../../test/kit/peer.ts';
import { until } from '../../../../test/kit/wait.ts';
import { startRegisteringServer } from './registering-server.ts';
import { REGISTER_SCENARIO, startSipp } from './sipp.ts';

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

describeWithPeers(['sipp'], 'sipp', () => {
  test.each(['udp', 'tcp'] as const)('registers 200 users with digest by %s', async (transport) => {
    const names = Array.from({ length: 200 }, (_, i) => `user${i}`);
    const users = Object.fromEntries(names.map((name) => [name, `secret-${name}`]));
    const server = await startRegisteringServer({ protocols: [transport], users });
    open.push(() => server.close());
    const sipp = await startSipp({
      scenario: REGISTER_SCENARIO,
      remote: server.listener(transport).local,
      transport,
      calls: 200,
      callsPerSecond: 400,
      fields: names.map((name) => `${name};[authentication username=${name} password=secret-${name}]`),
    });
    open.push(() => sipp.stop());
    expect(await sipp.exited, sipp.output()).toBe(0);
    expect(server.answered.filter((one) => one === 'REGISTER 200')).toHaveLength(200);
    // What came over the connection of a program that has ended can't be reached any more.
    await until(() => server.location.size === (transport === 'udp' ? 200 : 0), 'the bindings');
    expect(server.transports.connectionCount).toBe(0);
  });
});
