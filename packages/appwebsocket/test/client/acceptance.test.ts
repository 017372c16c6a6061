import { describe, expect, test } from 'vitest';
import { until } from '../../../../test/kit/wait.ts';
import type { AppWebsocketConnection } from '../../src/client/connection.ts';
import { AppWebsocketClient } from '../../src/client/connection.ts';
import { appLoginDigest, appSessionKey } from '../../src/crypto/digests.ts';
import type { AppIdentity } from '../../src/handshake/identity.ts';
import type { AppWebsocketError } from '../../src/wire/errors.ts';
import { TestService } from '../service/kit.ts';
import { PASSWORD, ScriptedPeer } from './kit.ts';

interface Names {
  readonly app?: string;
  readonly domain?: string;
  readonly sip?: string;
  readonly guid?: string;
  readonly dn?: string;
}

interface Variant {
  readonly names?: Names;
  readonly pbxObj?: string | null;
  readonly info?: string;
  /** Changes the digest on its way. */
  readonly change?: (digest: string) => string;
  /** What is sent instead of what was signed. */
  readonly sent?: Names & { readonly info?: string };
}

/** Logs in by `onauth`, with a digest made here; resolves with the connection, or why it was refused. */
function logIn(url: string, variant: Variant): Promise<AppWebsocketConnection | AppWebsocketError | undefined> {
  const { names = {}, pbxObj, info, change = (digest: string) => digest, sent } = variant;
  const conn = AppWebsocketClient.connect(url, '', 'tool').onauth((c, app, challenge) => {
    const signed = { app, ...names, info };
    const digest = change(appLoginDigest(signed, challenge, PASSWORD));
    const s = { ...signed, ...sent };
    c.auth(s.domain, s.sip, s.guid, s.dn, pbxObj, s.app, s.info, digest, appSessionKey(challenge, PASSWORD));
  });
  return new Promise((resolve) => conn.onopen(resolve).onclose((_conn, error) => resolve(error)));
}

const USER: Names = { domain: 'example.com', sip: 'alice', guid: '0'.repeat(32), dn: 'Ä Müller: "x" 😀' };

/** AW §11, the points that the end which logs in has a part in, against our own acceptor. */
describe('the logins of this end are taken', () => {
  const table: readonly (readonly [string, Variant, Partial<AppIdentity>])[] = [
    ['with only app and digest', {}, { app: 'tool', sip: '', info: undefined }],
    ['with all names', { names: USER }, { ...USER, info: undefined }],
    ['with an empty info', { names: USER, info: '{}' }, { info: {} }],
    ['with pbxObj null', { names: USER, pbxObj: null }, { pbxObj: undefined }],
    ['with pbxObj', { names: USER, pbxObj: 'tool' }, { pbxObj: 'tool' }],
    [
      'with info that JSON.stringify would rewrite, sent as it was signed',
      { names: USER, info: '{ "b":1.0,"1":2, "a&b":"\\u00e4/" }' },
      { infoText: '{ "b":1.0,"1":2, "a&b":"\\u00e4/" }' },
    ],
    ['with colons in names', { names: { ...USER, dn: 'a:b::c' } }, { dn: 'a:b::c' }],
    ['with a .htm suffix', { names: { app: 'tool.htm' } }, { app: 'tool' }],
    ['with an upper-case digest', { names: USER, change: (digest) => digest.toUpperCase() }, USER],
  ];
  test.each(table)('%s', async (_name, variant, identity) => {
    await using tested = await TestService.start();
    const conn = await logIn(tested.url, variant);
    expect(conn).not.toHaveProperty('code');
    const [connection] = tested.service.connections;
    expect(connection!.identity).toMatchObject(identity);
    expect(connection!.decrypt('s', (conn as AppWebsocketConnection).encrypt('s', 'ä'))).toBe('ä');
  });
});

describe('a login is refused, and told once', () => {
  const table: readonly (readonly [string, Variant])[] = [
    ['with a changed dn', { names: USER, sent: { dn: 'Eve' } }],
    ['with a changed member inside info', { names: USER, info: '{"a":1}', sent: { info: '{"a":2}' } }],
    ['with a dropped info', { names: USER, info: '{"a":1}', sent: { info: '' } }],
    ['with a digest of another challenge', { change: () => appLoginDigest({ app: 'tool' }, 'old', PASSWORD) }],
    ['without a digest', { change: () => '' }],
  ];
  test.each(table)('%s', async (_name, variant) => {
    await using tested = await TestService.start();
    expect(await logIn(tested.url, variant)).toMatchObject({ code: 'login-failed', reason: 'login failed' });
    expect(tested.service.connections).toHaveLength(0);
  });
});

test('no echo loop between two of our own endpoints: one KeepAlive an interval, not more', async () => {
  await using peer = await ScriptedPeer.start();
  const keepAliveMs = 10;
  await using _conn = AppWebsocketClient.connect(peer.url, PASSWORD, 'tool', '', '', '', '', { keepAliveMs });
  const socket = await peer.socket();
  const count = (): number => socket.received.filter(({ mt }) => mt === 'KeepAlive').length;
  await until(() => count() === 1, 'the first');
  const since = performance.now();
  await until(() => count() >= 11, 'ten more');
  expect(performance.now() - since).toBeGreaterThan(9 * keepAliveMs);
});

test('PbxInfo, AppInfo and the rest of the base messages are swallowed on connection B', async () => {
  await using tested = await TestService.start();
  await using conn = AppWebsocketClient.connect(tested.url, PASSWORD, 'tool');
  const told: string[] = [];
  await new Promise((resolve) => conn.onmessage((_conn, text) => told.push(text)).onopen(resolve));
  const [connection] = tested.service.connections;
  for (const mt of ['PbxInfo', 'AppInfo', 'AppChallenge', 'AppLogin', 'CheckBuild', 'KeepAlive', 'TestResult'])
    connection!.send({ mt });
  connection!.send({ mt: 'Error', text: 'unknown' });
  connection!.send({ mt: 'End', api: '' });
  await until(() => told.length === 2, 'the end');
  expect(told).toEqual(['{"mt":"Error","text":"unknown"}', '{"mt":"End","api":""}']);
  expect(tested.errors).toEqual([]);
});
