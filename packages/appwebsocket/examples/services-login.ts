// An app service that connects to another app service with a login from the PBX, by the Services API.
// Run: node examples/services-login.ts (in the repository: node --conditions=source)
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PbxApiConnection } from '@tieline/appwebsocket';
import { AppService, AppWebsocketClient, PbxApi } from '@tieline/appwebsocket';
import { LittlePbx } from './little-pbx.ts';

const server = createServer();
await once(server.listen(0, '127.0.0.1'), 'listening');
const origin = `127.0.0.1:${(server.address() as AddressInfo).port}`;

// The other service: it provides an API to whoever the PBX lets in.
const devices = new AppService({
  path: '/example.com/devices',
  password: 'devices-password',
  appInfo: { serviceInfo: { apis: { 'com.acme.devices': {} } } },
});
devices.api('com.acme.devices', { List: (_message, { identity }) => ({ for: identity.sip, devices: ['desk phone'] }) });
devices.mount(server);

// Our service: the PBX connects to it, and through the PBX it reaches the other one.
const tool = new AppService({ path: '/example.com/tool', password: 'tool-password' });
tool.mount(server);
const answer = new Promise<string>((resolve) => {
  tool.use(new PbxApi('Services').onconnected((services) => reachDevices(services, resolve)));
});

function reachDevices(services: PbxApiConnection, done: (text: string) => void): void {
  let client: AppWebsocketClientConnection | undefined;
  services.onmessage((_text, message) => {
    if (message.mt === 'ServicesInfo') {
      const [service] = message.services as readonly { name: string; url: string; info?: object }[];
      if (service?.info === undefined || client !== undefined) return;
      // The URL is the App URL; the login is asked for when the challenge is known.
      client = AppWebsocketClient.connect(service.url, '', service.name)
        .onauth((_client, app, challenge) =>
          services.send(JSON.stringify({ api: 'Services', mt: 'GetServiceLogin', src: 'login', app, challenge })),
        )
        .onopen((opened) => opened.send('{"api":"com.acme.devices","mt":"List"}'))
        .onmessage((opened, text) => {
          opened.close();
          done(text);
        });
    }
    if (message.mt === 'GetServiceLoginResult' && message.error === undefined) {
      const login = message as Readonly<Record<string, string>>;
      const key = services.decrypt(login.salt ?? '', login.key ?? '');
      const info = JSON.stringify(message.info);
      client?.auth(login.domain, login.sip, login.guid, login.dn, login.pbxObj, login.app, info, login.digest, key);
    }
  });
  services.send('{"api":"Services","mt":"SubscribeServices","src":"list"}');
}
type AppWebsocketClientConnection = ReturnType<typeof AppWebsocketClient.connect>;

// The PBX, as small as it gets: an App object each, `devices` is ticked in the Apps tab of `tool`.
const object = { guid: '0'.repeat(32), apis: [], apps: [] };
const pbx = new LittlePbx([
  {
    ...object,
    ...{ name: 'tool', dn: 'Tool', cn: 'Tool', password: 'tool-password', apis: ['Services'], apps: ['devices'] },
    url: `http://${origin}/example.com/tool/acme-tool`,
  },
  {
    ...object,
    ...{ name: 'devices', dn: 'Devices', cn: 'Devices', password: 'devices-password' },
    url: `http://${origin}/example.com/devices/acme-devices`,
  },
]);

console.log(await answer);
await pbx[Symbol.asyncDispose]();
await Promise.all([tool.close(), devices.close()]);
server.close();
