import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { describeWithPeers, findProgram } from '../../../../test/kit/peer.ts';
import { until } from '../../../../test/kit/wait.ts';
import {
  createUserAgent,
  openTransports,
  sdp,
  type Call,
  type SipTransports,
  type UserAgent,
} from '../../src/index.ts';
import { startB2buaServer } from './b2bua-server.ts';
import { startKamailio } from './kamailio.ts';
import { freePorts, scratchFolder, startProcess, type PeerProcess } from './process.ts';

const open: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function agent(options: { contactUser?: string; identity?: string } = {}): Promise<[UserAgent, SipTransports]> {
  const transports = await openTransports({
    listeners: [
      { protocol: 'udp', address: '127.0.0.1', port: 0 },
      { protocol: 'tcp', address: '127.0.0.1', port: 0 },
    ],
  });
  const made = createUserAgent({ transports, ...options });
  open.push(async () => {
    await made.close();
    await transports.close();
  });
  return [made, transports];
}

const session = sdp(
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n',
);

describeWithPeers(['kamailio'], 'kamailio as a foreign registrar and trunk', () => {
  test.each(['udp', 'tcp'])('we register by %s, call through it and are called through it', async (transport) => {
    const kamailio = await startKamailio({ workers: 1 });
    open.push(() => kamailio.stop());
    const domain = `${kamailio.local.address}:${kamailio.local.port}`;
    const registrar = `sip:${domain};transport=${transport}`;
    const [alice] = await agent({ contactUser: 'alice', identity: `sip:alice@${domain}` });
    const [bob] = await agent({ contactUser: 'bob', identity: `sip:bob@${domain}` });
    const calls: Call[] = [];
    bob.on('invite', (call) => {
      calls.push(call);
      call.ring();
      call.answer({ body: session });
      call.on('change', (change) => void change.accept(session));
    });
    const registrations = [alice, bob].map((one) => one.register(registrar, { expires: 300 }));
    await until(() => registrations.every((r) => r.state === 'registered'), 'both to be registered');

    const call = alice.invite(`sip:bob@${domain}`, { hop: registrar, body: session });
    await call.answered();
    await until(() => calls[0]?.state === 'confirmed', 'the ACK to come through');
    expect(call.dialog?.link.dialog.routeSet.length).toBeGreaterThan(0);
    const changed = await call.change(sdp('v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n'));
    expect(changed.body).toBeDefined();
    calls[0]?.hangup();
    expect((await call.ended()).by).toBe('peer');

    const refused = alice.invite(`sip:nobody@${domain}`, { hop: registrar, body: session });
    expect((await refused.ended()).status).toBe(404);
    await Promise.all(registrations.map((r) => r.close()));
    await until(() => alice.counts.dialogs + bob.counts.dialogs === 0, 'all dialogs to end');
  });
});

describeWithPeers(['sipp'], 'sipp calls sipp through the back-to-back agent', () => {
  function startSipp(args: readonly string[], folder: string): PeerProcess {
    const program = findProgram('sipp');
    if (program === undefined) throw new Error('sipp is not installed');
    const process = startProcess(program, [...args, '-i', '127.0.0.1', '-nostdin'], {
      cwd: folder,
      env: { TERM: 'dumb' },
    });
    open.push(() => process.stop('SIGKILL'));
    return process;
  }

  test.each([
    ['udp', 'u1'],
    ['tcp', 't1'],
  ] as const)('100 calls by %s, none fails', async (protocol, mode) => {
    const folder = scratchFolder('sipp');
    open.push(() => folder.remove());
    const calleePort = await freePorts(1);
    const callerPort = await freePorts(1);
    const transport = protocol === 'udp' ? '' : `;transport=${protocol}`;
    const server = await startB2buaServer({
      protocols: [protocol],
      users: {},
      isStrict: false,
      route: () => [{ uri: `sip:service@127.0.0.1:${calleePort}${transport}` }],
    });
    open.push(() => server.close());
    startSipp(['-sn', 'uas', '-t', mode, '-p', String(calleePort)], folder.path);
    const { port } = server.listener(protocol).local;
    const caller = ['-sn', 'uac', `127.0.0.1:${port}`, '-t', mode, '-s', 'bob', '-p', String(callerPort)];
    const sipp = startSipp([...caller, '-m', '100', '-r', '50', '-d', '100', '-timeout', '25'], folder.path);
    expect(await sipp.exited).toBe(0);
    await until(() => server.b2bua.agent.counts.dialogs === 0, 'all dialogs to end');
  });

  test('sipp proves itself by digest', async () => {
    const folder = scratchFolder('sipp');
    open.push(() => folder.remove());
    writeFileSync(
      join(folder.path, 'users.csv'),
      'SEQUENTIAL\nalice;[authentication username=alice password=secret]\n',
    );
    writeFileSync(join(folder.path, 'register.xml'), REGISTER_SCENARIO);
    const server = await startB2buaServer({ protocols: ['udp'], users: { alice: 'secret' } });
    open.push(() => server.close());
    const { port } = server.listener('udp').local;
    const args = ['-sf', 'register.xml', '-inf', 'users.csv', `127.0.0.1:${port}`, '-p', String(await freePorts(1))];
    const sipp = startSipp([...args, '-m', '1', '-timeout', '10'], folder.path);
    expect(await sipp.exited).toBe(0);
    expect(await server.registrar.find('sip:alice@127.0.0.1')).toHaveLength(1);
  });
});

const REQUEST = `REGISTER sip:127.0.0.1 SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:[field0]@127.0.0.1>;tag=[call_number]
To: <sip:[field0]@127.0.0.1>
Call-ID: [call_id]
CSeq: [cseq] REGISTER
Contact: <sip:[field0]@[local_ip]:[local_port]>
Max-Forwards: 70
Expires: 300
`;
const REGISTER_SCENARIO = `<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="register">
  <send retrans="500"><![CDATA[
${REQUEST}Content-Length: 0

  ]]></send>
  <recv response="401" auth="true" />
  <send retrans="500"><![CDATA[
${REQUEST}[field1]
Content-Length: 0

  ]]></send>
  <recv response="200" />
</scenario>
`;
