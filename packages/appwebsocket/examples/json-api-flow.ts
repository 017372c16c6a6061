// A JsonApi with flow control: a slow consumer holds its producer back, and nothing piles up in between.
// Run: node examples/json-api-flow.ts (in the repository: node --conditions=source)
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { AppService, AppWebsocketClient, JsonApi } from '@tieline/appwebsocket';

const COUNT = 200;
const data = 'x'.repeat(60_000);

const service = new AppService({ password: 'secret' });
let atWork = 0;
let mostAtWork = 0;
const allStored = new Promise<void>((resolve) => {
  let stored = 0;
  service.use(
    new JsonApi('com.acme.import').onconnected((conn) => {
      console.log(`${conn.sip} imports`);
      // A promise holds reading back until it settles; `setFlowControl` and `messageComplete` do it by hand.
      conn.onmessage(async () => {
        mostAtWork = Math.max(mostAtWork, ++atWork);
        await pause(1);
        atWork--;
        if (++stored === COUNT) resolve();
      });
    }),
  );
});
const server = createServer();
service.mount(server);
await once(server.listen(0, '127.0.0.1'), 'listening');

const client = AppWebsocketClient.connect(
  `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`,
  'secret',
  'import',
  'example.com',
  'alice',
);
await new Promise<void>((resolve) => client.onopen(() => resolve()));
let mostBuffered = 0;
for (let n = 0; n < COUNT; n++) {
  client.send(JSON.stringify({ api: 'com.acme.import', mt: 'Row', n, data }));
  await client.drained();
  mostBuffered = Math.max(mostBuffered, client.bufferedBytes);
}
await allStored;
console.log(
  `${COUNT} rows stored, at most ${mostAtWork} at work, under ${mostBuffered > 1_000_000 ? 'many' : 'one'} MB in the sender`,
);

client.close();
await service.close();
server.close();
