import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { TapiServerSimulator } from '../../../../../test/kit/tapi-server.ts';
import { until } from '../../../../../test/kit/wait.ts';
import { RawStomp } from './test/raw-stomp.ts';
import { startNode, type TestNode } from './test/start-node.ts';

describe('the telephone of a page, with a TapiServer (TM §4)', () => {
  let node: TestNode;
  const server = new TapiServerSimulator();
  const clients: RawStomp[] = [];

  beforeAll(async () => {
    await server.open();
    node = await startNode({ tapiServer: server.port });
    await until(() => server.state.connected);
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close();
    await until(() => server.state.registered.length === 0, 'nobody listens');
    expect(server.state.violations).toEqual([]);
    server.reset();
  });
  afterAll(async () => {
    await node.close();
    await server.close();
  });

  async function page(session: string): Promise<RawStomp> {
    const client = await RawStomp.connect(
      node.port,
      'CONNECT\nlogin:mylogin\npasscode:mypasswd\naccept-version:1.1,1.0\nheart-beat:10000,10000\n',
      session,
    );
    clients.push(client);
    await client.subscribe('sub-0', `/user/queue/incoming-call-user${session}`);
    await client.subscribe('sub-1', '/topic/is-listen-init');
    await client.subscribe('sub-2', '/user/queue/incoming-call-user1001');
    await client.subscribe('sub-3', '/topic/is-call-init');
    await client.subscribe('errors', '/user/queue/errors');
    return client;
  }
  const heard = (): string[] => server.state.log.filter((line) => line.dir === 'in').map((line) => line.payload);
  const LISTEN = 'SEND\napex_session:1001\ndestination:/tapi/listen\ncontent-length:6\n\nHello!';

  test('CONNECTED is to the letter', async () => {
    const client = new RawStomp(node.port, 'vcfcurjo');
    clients.push(client);
    await client.opened();
    client.send('CONNECT\nlogin:mylogin\npasscode:mypasswd\naccept-version:1.1,1.0\nheart-beat:10000,10000\n\n');
    expect(await client.take('CONNECTED')).toBe(
      'CONNECTED\nversion:1.1\nheart-beat:10000,10000\nsession:vcfcurjo\nserver:tapi-messenger/1.0.0\n\n\0',
    );
  });

  test('listens, rings once on the first rule that matches, dials, stops', async () => {
    const client = await page('vcfcurjo');
    client.send(LISTEN);
    const text = 'LISTENING STARTED for number: 201';
    expect(await client.take('LISTENING')).toMatch(
      new RegExp(
        `^MESSAGE\ndestination:/topic/is-listen-init\ncontent-type:text/plain;charset=UTF-8\nsubscription:sub-1\nmessage-id:vcfcurjo-\\d+\ncontent-length:${text.length}\n\n${text}\0$`,
      ),
    );
    await until(() => heard().includes('LISTEN,201'));
    server.ring('0606413737', '201');
    const body = '{"name":"UNKNOWN","phone":"0606413737"}';
    expect(await client.take('UNKNOWN')).toMatch(
      new RegExp(
        `^MESSAGE\ndestination:/user/queue/incoming-call-uservcfcurjo\ncontent-type:application/json;charset=UTF-8\nsubscription:sub-0\nmessage-id:vcfcurjo-\\d+\ncontent-length:39\n\n${body}\0$`,
      ),
    );
    client.send('SEND\ndestination:/tapi/call\ncontent-length:24\n\n{"toNumber":"606413737"}');
    expect(await client.take('is-call-init')).toContain('CALLING NUMBER 606413737\0');
    await until(() => heard().includes('CALL,201,606413737'));
    client.send('SEND\ndestination:/tapi/stop\n\n');
    await until(() => heard().includes('STOPLISTEN,201'));
    expect(heard()).toEqual(['LISTEN,201', 'CALL,201,606413737', 'STOPLISTEN,201']);
    expect(client.messages.filter((m) => m.includes('UNKNOWN'))).toEqual([]);
  });

  test('two pages of one number: one LISTEN, both ring; the last one stops it', async () => {
    const one = await page('one');
    const two = await page('two');
    one.send(LISTEN);
    await one.take('LISTENING');
    two.send(LISTEN);
    await two.take('LISTENING');
    await until(() => server.state.registered.includes('201'));
    server.ring('', '201');
    expect(await one.take('UNKNOWN')).toContain('{"name":"UNKNOWN","phone":""}');
    await two.take('UNKNOWN');
    await one.close();
    server.ring('1', '201');
    await two.take('"phone":"1"');
    expect(heard()).toEqual(['LISTEN,201']);
    await two.close();
    await until(() => heard().length === 2);
    expect(heard()).toEqual(['LISTEN,201', 'STOPLISTEN,201']);
  });

  test('a repeated listen adds nothing; another number leaves the first (TM AP-12)', async () => {
    const client = await page('again');
    client.send(LISTEN);
    await client.take('LISTENING');
    client.send(LISTEN);
    await client.take('LISTENING');
    client.send(LISTEN.replace('1001', '1002'));
    await client.take('LISTENING', '202');
    await until(() => heard().length === 3);
    expect(heard()).toEqual(['LISTEN,201', 'STOPLISTEN,201', 'LISTEN,202']);
  });

  test.each(['', 'apex_session:\n', 'apex_session:9\n', 'apex_session:1 or 1=1\n', `apex_session:${'9'.repeat(65)}\n`])(
    'no number for %j',
    async (header) => {
      const client = await page('nobody');
      client.send(`SEND\n${header}destination:/tapi/listen\nreceipt:r\n\nHello!`);
      expect(await client.take('is-listen-init')).toContain('\n\nFAILED TO FIND NUMBER FOR THIS SESSION\0');
      expect(await client.take('errors')).toContain('"code":"listen-failed"');
      await client.take('RECEIPT');
      client.send('SEND\ndestination:/tapi/call\n\n{"toNumber":"1"}');
      expect(await client.take('is-call-init')).toContain('FAILED TO CALL NUMBER 1: NO NUMBER FOR THIS SESSION\0');
      expect(heard()).toEqual([]);
    },
  );

  test.each<[string, string, string | null]>([
    ['{"toNumber":"(06) 06-41.37/37"}', 'CALLING NUMBER (06) 06-41.37/37', 'CALL,201,0606413737'],
    ['{"toNumber":606413737}', 'CALLING NUMBER 606413737', 'CALL,201,606413737'],
    ['{"toNumer":"12"}', 'CALLING NUMBER 12', 'CALL,201,12'],
    ['{"toNumber":"1,2"}', 'FAILED TO CALL NUMBER 1,2: INVALID NUMBER', null],
    ['{"toNumber":"1\\nCALL,9,9"}', 'FAILED TO CALL NUMBER 1?CALL,9,9: INVALID NUMBER', null],
    ['{"toNumber":-5}', 'FAILED TO CALL NUMBER : INVALID NUMBER', null],
    ['{"toNumber":null}', 'FAILED TO CALL NUMBER : INVALID NUMBER', null],
    ['{}', 'FAILED TO CALL NUMBER : INVALID NUMBER', null],
    ['no json', 'FAILED TO CALL NUMBER : INVALID NUMBER', null],
    [`{"toNumber":"${'9'.repeat(10_000)}"}`, `FAILED TO CALL NUMBER ${'9'.repeat(64)}: INVALID NUMBER`, null],
    ['{"toNumber":"\u202e٣٤"}', 'FAILED TO CALL NUMBER \u202e٣٤: INVALID NUMBER', null],
  ])('dials %s', async (body, reply, written) => {
    const client = await page('dialler');
    client.send(LISTEN);
    await client.take('LISTENING');
    client.send(`SEND\ndestination:tapi/call\n\n${body}`);
    expect(await client.take('is-call-init')).toContain(`\n\n${reply}\0`);
    if (written !== null) await until(() => heard().includes(written), written);
    else expect(heard()).toEqual(['LISTEN,201']);
  });

  test('the two-argument call of the seed document dials (TM AP-24)', async () => {
    const client = await page('snippet');
    client.send(LISTEN);
    await client.take('LISTENING');
    const headers = Array.from('{"toNumber":"60"}')
      .map((c, i) => `${i}:${c}\n`)
      .join('');
    for (const destination of ['', 'destination:/tapi/call\n']) {
      client.send(`SEND\n${destination}${headers}\n`);
      await client.take('CALLING NUMBER 60');
    }
  });

  test('nobody hears the calls of another session (TM AP-14)', async () => {
    const victim = await page('victim');
    victim.send(LISTEN);
    await victim.take('LISTENING');
    const spy = await page('spy');
    await spy.subscribe('s1', '/user/queue/incoming-call-uservictim');
    await spy.subscribe('s2', '/topic/**');
    await until(() => server.state.registered.includes('201'));
    server.ring('123', '201');
    await victim.take('"phone":"123"');
    await spy.settle();
    expect(spy.messages).toEqual([]);
    spy.send('SEND\ndestination:/user/queue/incoming-call-uservictim\nreceipt:r1\n\n{"name":"X","phone":"666"}');
    expect(await spy.take('errors')).toContain('{"code":"forbidden"');
    spy.send('SEND\ndestination:/topic/is-listen-init\nreceipt:r2\n\nLISTENING');
    expect(await spy.take('errors')).toContain('"destination":"/topic/is-listen-init","receipt":"r2"');
    spy.send('SEND\ndestination:/tapi/none\n\n');
    expect(await spy.take('errors')).toContain('"code":"unknown-destination"');
    await spy.settle();
    expect(spy.messages).toEqual([]);
    await victim.settle();
    expect(victim.messages).toEqual([]);
  });

  test('the alias without session rings where nothing else matches (TM AP-13)', async () => {
    const client = await RawStomp.connect(node.port, 'CONNECT\naccept-version:1.2\n');
    clients.push(client);
    await client.subscribe('a', '/user/queue/incoming-call');
    client.send('SEND\napex_session:1001\ndestination:/tapi/listen\nreceipt:l\n\n');
    await client.take('RECEIPT', 'receipt-id:l');
    await until(() => server.state.registered.includes('201'));
    server.ring('5', '201');
    expect(await client.take('"phone":"5"')).toContain('destination:/user/queue/incoming-call\n');
  });

  test('a restart of the TapiServer brings the listening back (TM FM-1, FM-2)', async () => {
    const client = await page('patient');
    client.send(LISTEN);
    await client.take('LISTENING');
    await server.shut();
    await until(() => !server.state.connected);
    client.send('SEND\ndestination:/tapi/call\n\n{"toNumber":"1"}');
    await client.take('FAILED TO CALL NUMBER 1: TAPI SERVER UNAVAILABLE');
    server.reset();
    await server.open();
    await until(() => heard().includes('LISTEN,201'), 'LISTEN after the reconnect');
    server.ring('77', '201');
    await client.take('"phone":"77"');
  });
});
