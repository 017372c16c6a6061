// An app service, and a client that asks it. Run: node examples/hello-service.ts (in the repository: node --conditions=source)
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AppService, AppSession, AppWebsocketError, Refusal } from '@tieline/appwebsocket';

// The service: one password, one API, mounted on any HTTP server.
const service = new AppService({ path: '/example.com/hello', password: 'secret', build: '1001' });
service.api('com.acme.hello', {
  Hello: (message, { identity }) => {
    if (typeof message.name !== 'string') throw new Refusal('name is missing');
    return { text: `Hello ${message.name}, says ${identity.app}` };
  },
  Count: async (_message, call) => {
    for (let n = 1; n <= 3; n++) call.tell('Number', { n });
    return {};
  },
});
const server = createServer((_request, response) => void response.end('the page of the app'));
service.mount(server);
await once(server.listen(0, '127.0.0.1'), 'listening');
const { port } = server.address() as AddressInfo;

// A client: a program with the password. A page in myApps would use `login: loginFromMyApps(…)` instead.
const session = await AppSession.open({
  url: `ws://127.0.0.1:${port}/example.com/hello`,
  app: 'hello',
  login: { password: 'secret', sip: 'alice' },
});
console.log((await session.request('com.acme.hello', 'Hello', { name: 'Zoë' })).text);
const { items } = await session.list('com.acme.hello', 'Count');
console.log(`counted ${items.map(({ n }) => String(n)).join(', ')}`);
await session.request('com.acme.hello', 'Hello').catch((error: unknown) => {
  if (error instanceof AppWebsocketError) console.log(`${error.code}: ${error.reason ?? ''}`);
});

await session.close();
await service.close();
server.close();
