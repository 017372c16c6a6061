import { describe, expect, test } from 'vitest';
import { until } from '../../../../test/kit/wait.ts';
import { AppWebsocketClient } from '../../src/client/connection.ts';
import { appLoginDigest, appSessionKey, randomHex } from '../../src/crypto/digests.ts';
import { openService } from '../../src/session/login-sources.ts';
import type { ListedService, ServiceLoginResult } from '../../src/session/apis/index.ts';
import { AppSession } from '../../src/session/session.ts';
import { Refusal } from '../../src/service/service-options.ts';
import { TestService } from '../service/kit.ts';

const TARGET_PASSWORD = 'target-ß';
const PBX_PASSWORD = 'pbx';
const INFO = { appobj: 'target', appdn: 'Ziel Ä', appurl: 'https://h/x&y', pbx: 'master', cn: 'Tool', apps: [] };

/** A PBX as far as the Services API goes (AW §6), and a service that it lists under its App URL. */
class World implements AsyncDisposable {
  readonly pbx: TestService;
  readonly target: TestService;

  private constructor(pbx: TestService, target: TestService) {
    this.pbx = pbx;
    this.target = target;
  }

  static async start(): Promise<World> {
    const target = await TestService.start({ password: TARGET_PASSWORD });
    const url = `${target.url.replace('ws:', 'http:')}/acme-target`;
    const services: ListedService[] = [
      { name: 'other', url: 'https://nowhere.example/x' },
      { name: 'target', url },
    ];
    const pbx = await TestService.start({ password: PBX_PASSWORD }, (service) =>
      service.api('Services', {
        SubscribeServices: (_message, call) => {
          setImmediate(() => call.tell('ServicesInfo', { services }));
          return {};
        },
        UnsubscribeServices: () => ({}),
        GetServiceLogin: ({ app, challenge }, { connection }) => {
          if (app !== 'target') throw new Refusal('not visible');
          const names = { app: 'acme-target', domain: 'example.com', sip: 'tool', guid: 'a1', dn: 'Tool' };
          const digest = appLoginDigest({ ...names, info: JSON.stringify(INFO) }, String(challenge), TARGET_PASSWORD);
          const salt = randomHex(8);
          const key = connection.encrypt(salt, appSessionKey(String(challenge), TARGET_PASSWORD));
          return { ...names, pbxObj: 'target', info: INFO, digest, salt, key };
        },
      }),
    );
    return new World(pbx, target);
  }

  openPbx(): Promise<AppSession> {
    return AppSession.open({ url: this.pbx.url, app: 'tool', login: { password: PBX_PASSWORD }, reconnect: false });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.pbx[Symbol.asyncDispose]();
    await this.target[Symbol.asyncDispose]();
  }
}

describe('a login obtained through Services works at the target, and decrypt(salt, key) gives its session key', () => {
  test('as the document does it, with two AppWebsocketClients (AW §8.1)', async () => {
    await using world = await World.start();
    await using services = AppWebsocketClient.connect(world.pbx.url, PBX_PASSWORD, 'tool');
    await using client = AppWebsocketClient.connect(`${world.target.url}/acme-target`, '', 'target');
    const isOpen = new Promise((resolve) => client.onopen(resolve));
    services.onmessage((_conn, text) => {
      const r = JSON.parse(text) as ServiceLoginResult & { mt: string };
      if (r.mt !== 'GetServiceLoginResult') return;
      const info = JSON.stringify(r.info);
      client.auth(r.domain, r.sip, r.guid, r.dn, r.pbxObj, r.app, info, r.digest, services.decrypt(r.salt, r.key));
    });
    client.onauth((_conn, app, challenge) =>
      services.send(JSON.stringify({ api: 'Services', mt: 'GetServiceLogin', app, challenge, src: '1' })),
    );
    await isOpen;
    const [connection] = world.target.service.connections;
    expect(connection!.identity).toMatchObject({ app: 'acme-target', sip: 'tool', pbxObj: 'target', isPbxUser: true });
    expect(connection!.decrypt('s', client.encrypt('s', 'ä'))).toBe('ä');
  });

  test('as the layer above does it: openService finds the URL, and logs in again after a loss', async () => {
    await using world = await World.start();
    await using pbx = await world.openPbx();
    const reconnect = { firstMs: 1, maxMs: 1, jitter: 0, resetAfterMs: 0 };
    let logins = 0;
    await using session = await openService(pbx, 'target', { reconnect, onLogin: () => logins++ });
    const [connection] = world.target.service.connections;
    expect(connection!.hash('s', 'x')).toBe(session.hash('s', 'x'));
    connection!.close(1001);
    await until(() => logins === 2, 'second login');
    expect(world.target.service.connections[0]!.hash('s', 'x')).toBe(session.hash('s', 'x'));
  });

  test('a service that is not listed, and one whose login is refused', async () => {
    await using world = await World.start();
    await using pbx = await world.openPbx();
    await expect(openService(pbx, 'absent')).rejects.toMatchObject({
      code: 'request-refused',
      reason: 'no service absent',
    });
    await expect(pbx.request('Services', 'GetServiceLogin', { app: 'absent', challenge: 'c' })).rejects.toMatchObject({
      code: 'request-refused',
      reason: 'not visible',
    });
    await pbx.close();
    await expect(openService(pbx, 'target')).rejects.toMatchObject({ code: 'not-connected' });
  });
});
