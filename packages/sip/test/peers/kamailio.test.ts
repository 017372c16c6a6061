import { afterEach, expect, test } from 'vitest';
import { describeWithPeers } from '../../../../test/kit/peer.ts';
import { until } from '../../../../test/kit/wait.ts';
import { DigestClient, Headers, makeRequest, makeResponse, parseUri } from '../../src/index.ts';
import type { Flow, SipRequest, SipResponse } from '../../src/index.ts';
import { startKamailio } from './kamailio.ts';
import { startRegisteringServer } from './registering-server.ts';
import type { RegisteringServer } from './registering-server.ts';

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

let cseq = 0;
function ask(own: RegisteringServer, flow: Flow, request: SipRequest): Promise<SipResponse> {
  return new Promise((resolve, reject) => {
    own.layer.request(request, flow, {
      onResponse: (response) => {
        if (response.status >= 200) resolve(response);
      },
      onFailure: (cause, error) => reject(new Error(`${cause} ${String(error)}`)),
    });
  });
}

function make(method: string, uri: string, more: readonly (readonly [string, string | number])[] = []): SipRequest {
  const headers = new Headers([
    ['From', '<sip:trunk@example.net>;tag=1'],
    ['To', '<sip:trunk@example.net>'],
    ['Call-ID', 'kamailio'],
    ['CSeq', `${(cseq += 1)} ${method}`],
    ['Max-Forwards', 70],
    ...more,
  ]);
  return makeRequest({ method, uri: parseUri(uri), headers });
}

describeWithPeers(['kamailio'], 'kamailio as a foreign registrar and trunk', () => {
  test.each(['udp', 'tcp'] as const)(
    'we register with digest by %s, and it relays requests to us',
    async (protocol) => {
      const kamailio = await startKamailio({ password: 'secret' });
      open.push(() => kamailio.stop());
      const relayed: SipRequest[] = [];
      const own = await startRegisteringServer({
        protocols: [protocol],
        users: {},
        user: {
          onRequest(transaction, request) {
            relayed.push(request);
            const response = makeResponse(request, 200);
            response.headers.set('To', `${response.headers.get('To') ?? ''};tag=us`);
            transaction.respond(response);
          },
        },
      });
      open.push(() => own.close());
      const flow = own.transports.flowTo({ protocol, ...kamailio.local });
      if (flow === undefined) throw new Error('no flow');
      const contact = `<sip:trunk@127.0.0.1:${own.listener(protocol).local.port};transport=${protocol}>`;
      const digest = new DigestClient({ credentialsFor: () => ({ username: 'trunk', password: 'secret' }) });
      const request = make('REGISTER', 'sip:example.net', [
        ['Contact', contact],
        ['Expires', 120],
      ]);
      const challenge = await ask(own, flow, request);
      expect(challenge.status).toBe(401);
      const again = make('REGISTER', 'sip:example.net', [
        ['Contact', contact],
        ['Expires', 120],
      ]);
      expect(digest.answer(again, challenge)).toBe('answered');
      const accepted = await ask(own, flow, again);
      expect(accepted.status).toBe(200);
      expect(accepted.headers.contact?.params.get('expires')).toBe('120');

      // A refresh with the nonce that is known needs no second try while it lives.
      const refresh = make('REGISTER', 'sip:example.net', [
        ['Contact', contact],
        ['Expires', 120],
      ]);
      digest.prepare(refresh);
      expect((await ask(own, flow, refresh)).status).toBe(200);

      const options = make('OPTIONS', `sip:trunk@${kamailio.local.address}`);
      const answer = await ask(own, flow, options);
      expect(answer.status).toBe(200);
      await until(() => relayed.length === 1, 'the relayed request');
      expect(relayed[0]?.headers.vias).toHaveLength(2);
      expect(relayed[0]?.headers.maxForwards).toBe(69);
    },
  );

  test('a wrong password stays outside', async () => {
    const kamailio = await startKamailio({ password: 'secret' });
    open.push(() => kamailio.stop());
    const own = await startRegisteringServer({ protocols: ['udp'], users: {} });
    open.push(() => own.close());
    const flow = own.transports.flowTo({ protocol: 'udp', ...kamailio.local });
    if (flow === undefined) throw new Error('no flow');
    const digest = new DigestClient({ credentialsFor: () => ({ username: 'trunk', password: 'wrong' }) });
    const request = make('REGISTER', 'sip:example.net', [['Contact', '<sip:trunk@127.0.0.1>']]);
    const challenge = await ask(own, flow, request);
    const again = make('REGISTER', 'sip:example.net', [['Contact', '<sip:trunk@127.0.0.1>']]);
    digest.answer(again, challenge);
    const refused = await ask(own, flow, again);
    expect(refused.status).toBe(401);
    expect(digest.answer(again, refused)).toBe('refused');
  });
});
