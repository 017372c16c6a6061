import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { appLoginDigest, appSessionKey, decryptWith, encryptWith, hashWith } from '../src/crypto/digests.ts';
import { myAppsLoginResponse, myAppsLoginResultDigest, myAppsSessionCredential } from '../src/crypto/myapps.ts';
import { verifyLoginText } from '../src/handshake/received-login.ts';
import { browserPasswordLogin } from '../src/handshake/password-login.ts';
import { serviceLogin } from '../src/issue/issued-login.ts';
import { parseEnvelope } from '../src/wire/envelope.ts';
import { sha256 } from '../src/crypto/sha256.ts';
import { toHex, utf8Encode } from '../src/crypto/text.ts';

interface Vector {
  readonly id: string;
  readonly algorithm: string;
  readonly input: Record<string, string | null>;
  readonly preimage?: string;
  readonly expected: unknown;
  readonly expectedRaw?: string;
}

const file = JSON.parse(readFileSync(new URL('appwebsocket-crypto.json', import.meta.url), 'utf8')) as {
  vectors: Vector[];
};

/** Strings of a vector; `null` means absent. */
function inputOf(vector: Vector): Record<string, string> {
  return Object.fromEntries(Object.entries(vector.input).filter((e): e is [string, string] => e[1] !== null));
}

const algorithms: Record<string, (i: Record<string, string>) => unknown> = {
  'app-login-digest': (i) => appLoginDigest(i, i['challenge']!, i['password']!),
  'app-session-key': (i) => appSessionKey(i['challenge']!, i['password']!),
  'conn-encrypt': (i) => encryptWith(i['sessionKey']!, i['seed']!, i['data']!),
  'conn-decrypt': (i) => decryptWith(i['sessionKey']!, i['seed']!, i['data']!),
  'conn-hash': (i) => hashWith(i['sessionKey']!, i['seed']!, i['data']!),
  'browser-password-login': (i) => browserPasswordLogin(i['app']!, i['password']!, i['domain'] ?? '', i['challenge']!),
  'service-login': (i) => {
    const issued = serviceLogin({
      login: { ...i, info: i['info']!, pbxObj: 'connect' },
      challenge: i['challenge']!,
      targetPassword: i['targetPassword']!,
      requesterSessionKey: i['requesterSessionKey']!,
      salt: i['salt']!,
    });
    return { digest: issued.digest, sessionKey: appSessionKey(i['challenge']!, i['targetPassword']!), key: issued.key };
  },
  'verify-login-message': (i) => ({
    valid: verifyLoginText(i['message']!, parseEnvelope(i['message']!)!, i['challenge']!, i['password']!),
  }),
  'myapps-login-response': (i) => myAppsLoginResponse(i['type']!, i as never),
  'myapps-loginresult-digest': (i) => myAppsLoginResultDigest(i as never, i['info']!),
  'myapps-session-credential': (i) =>
    myAppsSessionCredential(i['part'] as 'usr', i['nonce']!, i['password']!, i['plain']!),
};

test('there are 30 vectors', () => {
  expect(file.vectors).toHaveLength(30);
});

for (const vector of file.vectors) {
  test(`vector ${vector.id}`, () => {
    const input = inputOf(vector);
    if (vector.preimage !== undefined) expect(toHex(sha256(utf8Encode(vector.preimage)))).toBe(vector.expected);
    // Disagreement 1 (AW §4.2): we hash bytes as they are.
    expect(algorithms[vector.algorithm]!(input)).toEqual(vector.expectedRaw ?? vector.expected);
  });
}
