// An external web service without WebSocket: users of the PBX log in over HTTP GET and get a cookie.
// Run: node examples/web-login.ts (in the repository: node --conditions=source)
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { issueUserLogin, WebLogin } from '@tieline/appwebsocket';

const login = new WebLogin({ path: '/login', password: 'secret' });
const server = createServer((request, response) => {
  if (login.handle(request, response)) return;
  const who = login.identityOf(request);
  response.end(
    who === undefined ? 'please log in' : `hello ${who.dn}, unlicensed: ${String(who.info?.unlicensed === true)}`,
  );
});
await once(server.listen(0, '127.0.0.1'), 'listening');
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

// The page: it asks for a challenge, …
const first = await fetch(`${origin}/login?mt=AppChallenge`);
const { challenge } = (await first.json()) as { challenge: string };
let cookie = first.headers.getSetCookie()[0]?.split(';')[0] ?? '';
console.log(await (await fetch(origin, { headers: { cookie } })).text());

// … gets a login for it from the PBX by the window of myApps (here the PBX itself stands in), …
const issued = issueUserLogin({
  pbx: { name: 'master', domain: 'example.com' },
  app: { name: 'shop', dn: 'Shop', cn: 'Shop', guid: '1'.repeat(32), url: `${origin}/shop`, password: 'secret' },
  user: { sip: 'alice', guid: '2'.repeat(32), dn: 'Alice Adams', cn: 'Alice Adams' },
  licence: 'none',
  challenge,
  sessionPassword: 'session-password-of-her',
});

// … and logs in with it.
const { app, domain, sip, guid, dn, info = '', digest } = issued;
const query = new URLSearchParams({ mt: 'AppLogin', app, domain, sip, guid, dn, info, digest, challenge });
const second = await fetch(`${origin}/login?${query.toString()}`, { headers: { cookie } });
console.log(await second.text());
cookie = second.headers.getSetCookie()[0]?.split(';')[0] ?? '';
console.log(await (await fetch(origin, { headers: { cookie } })).text());

server.closeAllConnections();
server.close();
