import { afterEach, expect, test } from 'vitest';
import { describeWithPeers } from '../../../../test/kit/peer.ts';
import { until } from '../../../../test/kit/wait.ts';
import { createUserAgent, openTransports, sdp, textOf, type IncomingCall } from '../../src/index.ts';
import { startB2buaServer } from './b2bua-server.ts';
import { startLinphone } from './linphone.ts';
import { canMakeNamespaces, openNamespace } from './namespace.ts';

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

describeWithPeers(
  ['linphonec', canMakeNamespaces ? 'ip' : 'rights of root'],
  'linphone in a network of its own',
  () => {
    test('calls through the back-to-back agent, and is called', async () => {
      const namespace = openNamespace();
      open.push(() => namespace.close());
      const address = namespace.outside;
      const server = await startB2buaServer({ protocols: ['udp'], address, users: { carol: 'secret', bob: 'b' } });
      open.push(() => server.close());
      const phone = startLinphone({
        namespace,
        name: 'carol',
        password: 'secret',
        realm: 'tieline.test',
        server: server.listener('udp').local,
      });
      open.push(() => phone.stop());
      await until(async () => (await server.registrar.find(`sip:carol@${address}`)).length > 0, 'linphone to register');

      const transports = await openTransports({ listeners: [{ protocol: 'udp', address, port: 0 }] });
      open.push(() => transports.close());
      const { port } = server.listener('udp').local;
      const bob = createUserAgent({
        transports,
        identity: `sip:bob@${address}`,
        contactUser: 'bob',
        credentials: { username: 'bob', password: 'b' },
      });
      open.push(() => bob.close());
      const session = sdp(
        `v=0\r\no=- 1 1 IN IP4 ${address}\r\ns=-\r\nc=IN IP4 ${address}\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n`,
      );
      const calls: IncomingCall[] = [];
      bob.on('invite', (call) => {
        calls.push(call);
        call.answer({ body: session });
        call.on('change', (change) => void change.accept(session));
      });
      const registration = bob.register(`sip:${address}:${port}`);
      await until(() => registration.state === 'registered', 'bob to register');

      phone.write(`call sip:bob@${address}`);
      await until(() => calls[0]?.state === 'confirmed', 'the call of linphone');
      expect(textOf(calls[0]!.offer!)).toContain('m=audio');
      phone.write('terminate');
      expect((await calls[0]!.ended()).by).toBe('peer');

      const call = bob.invite(`sip:carol@${address}:${port}`, {
        requestUri: `sip:carol@${address}`,
        hop: `sip:${address}:${port}`,
        body: session,
      });
      await call.next('progress');
      phone.write('answer');
      await call.answered();
      expect(textOf(call.dialog!.remoteBody!)).toContain('m=audio');
      call.hangup();
      await until(() => server.b2bua.agent.counts.dialogs === 0, 'all dialogs to end');
      await registration.close();
    });
  },
);
