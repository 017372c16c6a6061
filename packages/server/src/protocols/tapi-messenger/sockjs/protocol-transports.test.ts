/**
 * Transports of the 68 checks of the public sockjs-protocol suite (main branch), by its names; the other 27 are in protocol-pages.test.ts.
 * The suite is a Python 2 program; these are the same demands in our words.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  Client,
  contentType,
  cookie,
  corsFor,
  escapeAll,
  form,
  invalidCallback,
  limitOf,
  noCallback,
  noCookie,
  notCached,
  port,
  preflight,
  prelude,
  refused,
  serverEscapes,
  session,
  startServices,
  stopServices,
  stream,
  streamCookie,
  waitingPoll,
} from '../test/protocol-kit.ts';
import { RawHttp, ask, get, post } from '../test/raw-http.ts';

beforeAll(startServices);
afterAll(stopServices);

const checks: Record<string, () => Promise<void>> = {
  'XhrPolling.options': async () => {
    for (const name of ['xhr', 'xhr_send']) await preflight(`/echo/abc/abc/${name}`, 'OPTIONS, POST');
  },
  'XhrPolling.transport': async () => {
    const url = session();
    const open = await post(port, `${url}/xhr`, '', { Origin: 'test' });
    expect(open).toMatchObject({ status: 200, body: 'o\n' });
    contentType(open, 'application/javascript;charset=UTF-8');
    corsFor(open, 'test');
    notCached(open);
    const sent = await post(port, `${url}/xhr_send`, '["x"]', { Origin: 'test' });
    expect(sent).toMatchObject({ status: 204, body: '' });
    contentType(sent, 'text/plain;charset=UTF-8');
    corsFor(sent, 'test');
    notCached(sent);
    expect(await post(port, `${url}/xhr`)).toMatchObject({ status: 200, body: 'a["x"]\n' });
  },
  'XhrPolling.invalid_session': async () => {
    expect((await post(port, `${session()}/xhr_send`, '["x"]')).status).toBe(404);
  },
  'XhrPolling.invalid_json': async () => {
    const url = session();
    expect((await post(port, `${url}/xhr`)).body).toBe('o\n');
    expect(await post(port, `${url}/xhr_send`, '["x')).toMatchObject({ status: 500, body: 'Broken JSON encoding.' });
    expect(await post(port, `${url}/xhr_send`, '')).toMatchObject({ status: 500, body: 'Payload expected.' });
    expect(await post(port, `${url}/xhr_send`, '["a"]')).toMatchObject({ status: 204, body: '' });
    expect(await post(port, `${url}/xhr`)).toMatchObject({ status: 200, body: 'a["a"]\n' });
  },
  'XhrPolling.content_types': async () => {
    const url = session();
    expect((await post(port, `${url}/xhr`)).body).toBe('o\n');
    const types = [
      'text/plain',
      'T',
      'application/json',
      'application/xml',
      '',
      'application/json; charset=utf-8',
      'text/xml; charset=utf-8',
      'text/xml',
    ];
    for (const type of types)
      expect(await post(port, `${url}/xhr_send`, '["a"]', { 'Content-Type': type })).toMatchObject({ status: 204 });
    expect((await post(port, `${url}/xhr`)).body).toBe(`a[${types.map(() => '"a"').join(',')}]\n`);
  },
  'XhrPolling.request_headers_cors': async () => {
    for (const asked of ['a, b, c', '', undefined]) {
      const headers = {
        Origin: 'test',
        'Access-Control-Request-Method': 'POST',
        ...(asked === undefined ? {} : { 'Access-Control-Request-Headers': asked }),
      };
      const reply = await ask(port, { method: 'OPTIONS', path: `${session()}/xhr`, headers });
      expect(reply.status).toBe(204);
      corsFor(reply, 'test');
      expect(reply.headers['access-control-allow-headers']).toBe(asked === '' ? undefined : asked);
    }
  },
  'XhrPolling.sending_empty_frame': async () => {
    const url = session();
    expect((await post(port, `${url}/xhr`)).body).toBe('o\n');
    expect((await post(port, `${url}/xhr_send`, '[]')).status).toBe(204);
    expect((await post(port, `${url}/xhr_send`, '["a"]')).status).toBe(204);
    expect((await post(port, `${url}/xhr`)).body).toBe('a["a"]\n');
  },
  'XhrStreaming.options': () => preflight('/echo/abc/abc/xhr_streaming', 'OPTIONS, POST'),
  'XhrStreaming.transport': async () => {
    const url = session();
    const { head, chunk, abort } = await stream('POST', `${url}/xhr_streaming`, { Origin: 'test' });
    contentType(head, 'application/javascript;charset=UTF-8');
    corsFor(head, 'test');
    notCached(head);
    expect(await chunk()).toBe(prelude);
    expect(await chunk()).toBe('o\n');
    expect(await post(port, `${url}/xhr_send`, '["x"]')).toMatchObject({ status: 204, body: '' });
    expect(await chunk()).toBe('a["x"]\n');
    abort();
  },
  'XhrStreaming.response_limit': async () => {
    const url = session();
    const { chunk } = await stream('POST', `${url}/xhr_streaming`);
    expect(await chunk()).toBe(prelude);
    expect(await chunk()).toBe('o\n');
    const message = `"${'x'.repeat(128)}"`;
    for (let i = 0; i < 31; i++) {
      expect((await post(port, `${url}/xhr_send`, `[${message}]`)).status).toBe(204);
      expect(await chunk()).toBe(`a[${message}]\n`);
    }
    expect(await chunk()).toBe('');
  },
  'EventSource.transport': async () => {
    const url = session();
    const { head, chunk, abort } = await stream('GET', `${url}/eventsource`);
    contentType(head, 'text/event-stream');
    notCached(head);
    expect(await chunk()).toBe('\r\n');
    expect(await chunk()).toBe('data: o\r\n\r\n');
    expect((await post(port, `${url}/xhr_send`, '["x"]')).status).toBe(204);
    expect(await chunk()).toBe('data: a["x"]\r\n\r\n');
    expect((await post(port, `${url}/xhr_send`, '["  \\u0000\\n\\r "]')).status).toBe(204);
    expect(await chunk()).toBe('data: a["  \\u0000\\n\\r "]\r\n\r\n');
    abort();
  },
  'EventSource.response_limit': () => limitOf('GET', 'eventsource', (frame) => `data: ${frame}\r\n\r\n`),
  'HtmlFile.transport': async () => {
    const url = session();
    const { head, chunk, abort } = await stream('GET', `${url}/htmlfile?c=%63allback`);
    contentType(head, 'text/html;charset=UTF-8');
    notCached(head);
    const page = await chunk();
    expect(page.length).toBeGreaterThan(1024);
    expect(page.trim().split('\n')).toEqual([
      '<!doctype html>',
      '<html><head>',
      '  <meta http-equiv="X-UA-Compatible" content="IE=edge" />',
      '  <meta http-equiv="Content-Type" content="text/html; charset=UTF-8" />',
      "</head><body><h2>Don't panic!</h2>",
      '  <script>',
      '    document.domain = document.domain;',
      '    var c = parent.callback;',
      '    c.start();',
      '    function p(d) {c.message(d);};',
      '    window.onload = function() {c.stop();};',
      '  </script>',
    ]);
    expect(await chunk()).toBe('<script>\np("o");\n</script>\r\n');
    expect((await post(port, `${url}/xhr_send`, '["x"]')).status).toBe(204);
    expect(await chunk()).toBe('<script>\np("a[\\"x\\"]");\n</script>\r\n');
    abort();
  },
  'HtmlFile.no_callback': () => noCallback('htmlfile'),
  'HtmlFile.invalid_callback': () => invalidCallback('htmlfile'),
  'HtmlFile.response_limit': () =>
    limitOf('GET', 'htmlfile?c=callback', (frame) => `<script>\np(${JSON.stringify(frame)});\n</script>\r\n`),
  'JsonPolling.transport': async () => {
    const url = session();
    const open = await get(port, `${url}/jsonp?c=%63allback`);
    expect(open).toMatchObject({ status: 200, body: '/**/callback("o");\r\n' });
    contentType(open, 'application/javascript;charset=UTF-8');
    notCached(open);
    const sent = await post(port, `${url}/jsonp_send`, 'd=%5B%22x%22%5D', form);
    expect(sent).toMatchObject({ status: 200, body: 'ok' });
    contentType(sent, 'text/plain;charset=UTF-8');
    notCached(sent);
    expect((await get(port, `${url}/jsonp?c=%63allback`)).body).toBe('/**/callback("a[\\"x\\"]");\r\n');
  },
  'JsonPolling.no_callback': () => noCallback('jsonp'),
  'JsonPolling.invalid_callback': () => invalidCallback('jsonp'),
  'JsonPolling.invalid_json': async () => {
    const url = session();
    expect((await get(port, `${url}/jsonp?c=x`)).body).toBe('/**/x("o");\r\n');
    expect(await post(port, `${url}/jsonp_send`, 'd=%5B%22x', form)).toMatchObject({
      status: 500,
      body: 'Broken JSON encoding.',
    });
    for (const body of ['', 'd=', 'p=p'])
      expect(await post(port, `${url}/jsonp_send`, body, form)).toMatchObject({
        status: 500,
        body: 'Payload expected.',
      });
    expect((await post(port, `${url}/jsonp_send`, 'd=%5B%22b%22%5D', form)).body).toBe('ok');
    expect(await get(port, `${url}/jsonp?c=x`)).toMatchObject({ status: 200, body: '/**/x("a[\\"b\\"]");\r\n' });
  },
  'JsonPolling.content_types': async () => {
    const url = session();
    expect((await get(port, `${url}/jsonp?c=x`)).body).toBe('/**/x("o");\r\n');
    expect((await post(port, `${url}/jsonp_send`, 'd=%5B%22abc%22%5D', form)).body).toBe('ok');
    expect((await post(port, `${url}/jsonp_send`, '["%61bc"]', { 'Content-Type': 'text/plain' })).body).toBe('ok');
    expect((await get(port, `${url}/jsonp?c=x`)).body).toBe('/**/x("a[\\"abc\\",\\"%61bc\\"]");\r\n');
  },
  'JsonPolling.close': async () => {
    const url = session('/close');
    expect((await get(port, `${url}/jsonp?c=x`)).body).toBe('/**/x("o");\r\n');
    for (let i = 0; i < 2; i++)
      expect((await get(port, `${url}/jsonp?c=x`)).body).toBe('/**/x("c[3000,\\"Go away!\\"]");\r\n');
  },
  'JsonPolling.sending_empty_frame': async () => {
    const url = session();
    expect((await get(port, `${url}/jsonp?c=x`)).body).toBe('/**/x("o");\r\n');
    expect((await post(port, `${url}/jsonp_send`, 'd=%5B%5D', form)).body).toBe('ok');
    expect((await post(port, `${url}/jsonp_send`, 'd=%5B%22x%22%5D', form)).body).toBe('ok');
    expect((await get(port, `${url}/jsonp?c=x`)).body).toBe('/**/x("a[\\"x\\"]");\r\n');
  },
  'JsessionidCookie.basic': async () => {
    const reply = await get(port, '/cookie_needed_echo/info');
    noCookie(reply);
    expect(JSON.parse(reply.body)).toMatchObject({ cookie_needed: true });
  },
  'JsessionidCookie.xhr': async () => {
    const reply = await post(port, `${session('/cookie_needed_echo')}/xhr`);
    expect(reply.body).toBe('o\n');
    cookie(reply);
    cookie(await post(port, `${session('/cookie_needed_echo')}/xhr`, '', { Cookie: 'JSESSIONID=abcdef' }), 'abcdef');
  },
  'JsessionidCookie.xhr_streaming': () => streamCookie('POST', 'xhr_streaming'),
  'JsessionidCookie.eventsource': () => streamCookie('GET', 'eventsource'),
  'JsessionidCookie.htmlfile': () => streamCookie('GET', 'htmlfile?c=%63allback'),
  'JsessionidCookie.jsonp': async () => {
    const url = session('/cookie_needed_echo');
    const reply = await get(port, `${url}/jsonp?c=%63allback`);
    expect(reply.body).toBe('/**/callback("o");\r\n');
    cookie(reply);
    const sent = await post(port, `${url}/jsonp_send`, 'd=%5B%22x%22%5D', form);
    expect(sent).toMatchObject({ status: 200, body: 'ok' });
    cookie(sent);
  },
  'RawWebsocket.transport': async () => {
    const client = new Client('/echo/websocket');
    await client.opened();
    client.ws.send('Hello world!\uffff');
    expect(await client.recv()).toBe('Hello world!\uffff');
    client.ws.close();
  },
  'RawWebsocket.close': async () => {
    expect(await new Client('/close/websocket').closed).toEqual({ code: 3000, reason: 'Go away!' });
  },
  'JSONEncoding.xhr_server_encodes': async () => {
    const url = session();
    expect((await post(port, `${url}/xhr`)).body).toBe('o\n');
    expect((await post(port, `${url}/xhr_send`, `["${serverEscapes.join('')}"]`)).status).toBe(204);
    expect((await post(port, `${url}/xhr`)).body).toBe(`a["${escapeAll(serverEscapes)}"]\n`);
  },
  'JSONEncoding.xhr_server_decodes': async () => {
    // A superset of what the client escapes: every code unit of the plane, lone surrogates included.
    const units = Array.from({ length: 65536 }, (_, i) => String.fromCharCode(i));
    for (const part of [units.slice(0, 30_000), units.slice(30_000)]) {
      const url = session();
      expect((await post(port, `${url}/xhr`)).body).toBe('o\n');
      expect((await post(port, `${url}/xhr_send`, `["${escapeAll(part)}"]`)).status).toBe(204);
      const { body } = await post(port, `${url}/xhr`);
      expect(JSON.parse(body.slice(1))).toEqual([part.join('')]);
    }
  },
  'HandlingClose.close_frame': async () => {
    const url = session('/close');
    const one = await stream('POST', `${url}/xhr_streaming`);
    expect([await one.chunk(), await one.chunk(), await one.chunk()]).toEqual([prelude, 'o\n', 'c[3000,"Go away!"]\n']);
    const two = await stream('POST', `${url}/xhr_streaming`);
    expect([await two.chunk(), await two.chunk()]).toEqual([prelude, 'c[3000,"Go away!"]\n']);
    expect([await one.chunk(), await two.chunk()]).toEqual(['', '']);
  },
  'HandlingClose.close_request': async () => {
    const url = session();
    const one = await stream('POST', `${url}/xhr_streaming`);
    expect([await one.chunk(), await one.chunk()]).toEqual([prelude, 'o\n']);
    const two = await stream('POST', `${url}/xhr_streaming`);
    expect([await two.chunk(), await two.chunk(), await two.chunk()]).toEqual([prelude, refused, '']);
    one.abort();
  },
  'HandlingClose.abort_xhr_streaming': async () => {
    const url = session();
    const one = await stream('POST', `${url}/xhr_streaming`);
    expect([await one.chunk(), await one.chunk()]).toEqual([prelude, 'o\n']);
    const two = await stream('POST', `${url}/xhr_streaming`);
    expect([await two.chunk(), await two.chunk(), await two.chunk()]).toEqual([prelude, refused, '']);
    one.abort();
    const three = await stream('POST', `${url}/xhr_streaming`);
    expect(await three.chunk()).toBe(prelude);
    expect(['o\n', 'c[1002,"Connection interrupted"]\n']).toContain(await three.chunk());
    three.abort();
  },
  'HandlingClose.abort_xhr_polling': async () => {
    const url = session();
    expect((await post(port, `${url}/xhr`)).body).toBe('o\n');
    (await waitingPoll(url)).abort();
    expect(['o\n', 'c[1002,"Connection interrupted"]\n']).toContain((await post(port, `${url}/xhr`)).body);
  },
  'Http10.synchronous': async () => {
    using http = new RawHttp(port);
    for (let i = 0; i < 2; i++) {
      http.request({ method: 'GET', path: '/echo', version: '1.0', headers: { Connection: 'Keep-Alive' } });
      const head = await http.head();
      expect(head.status).toBe(200);
      expect(head.headers).not.toHaveProperty('transfer-encoding');
      expect(head.headers['content-length']).toBe('19');
      expect((await http.bytes(19)).toString()).toBe('Welcome to SockJS!\n');
      if (head.headers['connection']?.toLowerCase() !== 'keep-alive') {
        await http.closed();
        return;
      }
    }
  },
  'Http10.streaming': async () => {
    using http = new RawHttp(port);
    const headers = { Connection: 'Keep-Alive' };
    http.request({ method: 'POST', path: `${session('/close')}/xhr_streaming`, version: '1.0', headers });
    const head = await http.head();
    expect(head.status).toBe(200);
    expect(head.headers).not.toHaveProperty('transfer-encoding');
    expect(head.headers).not.toHaveProperty('content-length');
    expect((await http.bytes(2049)).toString()).toBe(prelude);
    expect((await http.bytes(2)).toString()).toBe('o\n');
    expect((await http.bytes(19)).toString()).toBe('c[3000,"Go away!"]\n');
    await http.closed();
  },
  'Http11.synchronous': async () => {
    using http = new RawHttp(port);
    for (let i = 0; i < 2; i++) {
      http.request({ method: 'GET', path: '/echo', headers: { Connection: 'Keep-Alive' } });
      const head = await http.head();
      expect(head.status).toBe(200);
      expect(['keep-alive', undefined]).toContain(head.headers['connection']?.toLowerCase());
      expect(head.headers['content-length']).toBe('19');
      expect(head.headers).not.toHaveProperty('transfer-encoding');
      expect((await http.bytes(19)).toString()).toBe('Welcome to SockJS!\n');
    }
  },
  'Http11.streaming': async () => {
    using http = new RawHttp(port);
    const headers = { Connection: 'Keep-Alive' };
    // No Content-Length, as the suite sends it: a POST without one has no body.
    http.request({ method: 'POST', path: `${session('/close')}/xhr_streaming`, headers });
    const head = await http.head();
    expect(head.headers['transfer-encoding']).toBe('chunked');
    expect(head.headers).not.toHaveProperty('content-length');
    expect(await http.chunk()).toBe(prelude);
    expect(await http.chunk()).toBe('o\n');
    expect(await http.chunk()).toBe('c[3000,"Go away!"]\n');
    expect(await http.chunk()).toBe('');
  },
};

test('the table is whole', () => expect(Object.keys(checks)).toHaveLength(41));

for (const [name, check] of Object.entries(checks)) test(name, check);
