import { afterEach, expect, test } from 'vitest';
import { describeWithPeers } from '../../../../test/kit/peer.ts';
import { until } from '../../../../test/kit/wait.ts';
import { startLinphone } from './linphone.ts';
import { canMakeNamespaces, openNamespace } from './namespace.ts';
import { startRegisteringServer } from './registering-server.ts';

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

describeWithPeers(
  ['linphonec', canMakeNamespaces ? 'ip' : 'rights of root'],
  'linphone in a network of its own',
  () => {
    test.each(['udp', 'tcp'] as const)('registers with digest by %s', async (transport) => {
      const namespace = openNamespace();
      open.push(() => namespace.close());
      const server = await startRegisteringServer({
        protocols: ['udp', 'tcp'],
        address: namespace.outside,
        users: { carol: 'secret' },
        algorithms: ['SHA-256', 'MD5'],
      });
      open.push(() => server.close());
      const phone = startLinphone({
        namespace,
        name: 'carol',
        password: 'secret',
        realm: 'tieline.test',
        server: server.listener(transport).local,
        transport,
      });
      open.push(() => phone.stop());
      const aor = `sip:carol@${namespace.outside}`;
      const binding = await until(async () => (await server.registrar.find(aor))[0], 'the binding');
      expect(server.answered.slice(0, 2)).toEqual(['REGISTER 401', 'REGISTER 200']);
      expect(binding.flow?.remote.address).toBe(namespace.inside);
      expect(binding.instanceId).toMatch(/^<urn:uuid:/);
      await phone.stop();
      await until(async () => (await server.registrar.find(aor)).length === 0, 'the end of the binding');
    });
  },
);
