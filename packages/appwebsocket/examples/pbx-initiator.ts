// What a PBX does for an App object: it connects to the app service, logs in, tells what it is and serves its APIs.
// Run: node examples/pbx-initiator.ts (in the repository: node --conditions=source)
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerText, AppObjectConnection, appObjectCredentials, AppService } from '@tieline/appwebsocket';

// An app service that asks every PBX for its name.
const service = new AppService({
  path: '/example.com/tool',
  password: 'secret',
  appInfo: { info: { hidden: true }, serviceInfo: { apis: { 'com.acme.tool': {} } } },
  onPbx: async (pbx, told) => {
    const node = await pbx.request('PbxApi', 'GetNodeInfo', {});
    console.log(`service: ${told.pbx} of ${told.domain} is node ${node.name ?? ''}`);
    pbx.send({ mt: 'Done' });
  },
});
const server = createServer();
service.mount(server);
await once(server.listen(0, '127.0.0.1'), 'listening');

// The PBX.
const node = { name: 'master', domain: 'example.com' };
const app = {
  ...{ name: 'tool', dn: 'The tool', cn: 'The tool', guid: '0'.repeat(32), password: 'secret' },
  url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/example.com/tool/acme-tool`,
};
const pbxInfo = { domain: node.domain, pbx: node.name, pbxDns: 'pbx.example.com', apis: ['PbxApi'], version: '14r1' };
const done = new Promise<void>((resolve) => {
  const connection = new AppObjectConnection(
    () => ({ url: app.url, credentials: appObjectCredentials(node, app, { lics: 10 }), pbxInfo }),
    {
      up: () => console.log('pbx: logged in'),
      appInfo: (told) => {
        if (told !== undefined) console.log(`pbx: the app offers ${Object.keys(told.serviceInfo?.apis ?? {}).join()}`);
      },
      message: (request) => {
        if (request.mt === 'GetNodeInfo') connection.send(answerText(request, { name: 'root' }));
        if (request.mt === 'Done') void connection.close().then(resolve);
      },
      down: (error, retryInMs) => console.log(`pbx: ${String(error)}, again in ${retryInMs} ms`),
    },
  );
});

await done;
await service.close();
server.close();
