import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);
const SCRIPTS: Readonly<Record<string, string>> = {
  '/sockjs.js': join(dirname(require.resolve('sockjs-client/package.json')), 'dist/sockjs.min.js'),
  '/stomp.js': join(dirname(require.resolve('@stomp/stompjs')), '../bundles/stomp.umd.min.js'),
};

/**
 * A web page as the seed document describes it: it connects with words that stand for nobody, finds out what its session is
 * called, subscribes, listens, and shows what comes. In the query: `server`, `session` (the application session), `transport`.
 */
const PAGE = `<!doctype html>
<meta charset="utf-8" />
<title>Screen pop</title>
<p id="session"></p>
<p id="listening"></p>
<ul id="calls"></ul>
<ul id="dialled"></ul>
<input id="number" aria-label="Number" />
<button id="dial">Dial</button>
<button id="dial-short">Dial as the document says</button>
<script src="/sockjs.js"></script>
<script src="/stomp.js"></script>
<script>
  const asked = new URLSearchParams(location.search);
  const show = (list, text) => {
    const item = document.createElement('li');
    item.textContent = text;
    document.getElementById(list).append(item);
  };
  const socket = new SockJS(asked.get('server') + '/tapi-messenger', null, { transports: [asked.get('transport')] });
  const stompClient = StompJs.Stomp.over(socket);
  stompClient.debug = () => undefined;
  stompClient.connect('mylogin', 'mypasswd', () => {
    let session = stompClient.ws._transport.url;
    session = session.replace(/^.*\\/tapi-messenger\\//, '').replace('/websocket', '').replace(/^[0-9]+\\//, '').split('/')[0];
    document.getElementById('session').textContent = session;
    const pop = (message) => show('calls', message.body);
    stompClient.subscribe('/user/queue/incoming-call-user' + session, pop);
    stompClient.subscribe('/topic/is-listen-init', (message) => {
      document.getElementById('listening').textContent = message.body;
    });
    stompClient.subscribe('/user/queue/incoming-call-user' + asked.get('session'), pop);
    stompClient.subscribe('/topic/is-call-init', (message) => show('dialled', message.body));
    stompClient.send('/tapi/listen', { apex_session: asked.get('session') }, 'Hello!');
  });
  const wanted = () => JSON.stringify({ toNumber: document.getElementById('number').value });
  document.getElementById('dial').onclick = () => stompClient.send('/tapi/call', {}, wanted());
  document.getElementById('dial-short').onclick = () => stompClient.send('/tapi/call', wanted());
</script>`;

/** Serves the page and its two libraries, on an origin of its own as real ones are. */
export async function serveSeedPage(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server: Server = createServer((req, res) => {
    const script = SCRIPTS[req.url ?? ''];
    const type = script === undefined ? 'text/html; charset=utf-8' : 'text/javascript';
    const body = script === undefined ? Promise.resolve(PAGE) : readFile(script, 'utf8');
    body.then(
      (text) => res.writeHead(200, { 'content-type': type }).end(text),
      () => res.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
