import { appLoginDigest, appSessionKey, decryptWith, encryptWith, hashWith } from '../src/crypto/digests.ts';
import { myAppsLoginResponse, myAppsLoginResultDigest, myAppsSessionCredential } from '../src/crypto/myapps.ts';
import { verifyLoginText } from '../src/handshake/received-login.ts';
import { browserPasswordLogin } from '../src/handshake/password-login.ts';
import { serviceLogin } from '../src/issue/issued-login.ts';
import { parseEnvelope } from '../src/wire/envelope.ts';

export interface Vector {
  readonly id: string;
  readonly algorithm: string;
  readonly input: Record<string, string | null>;
  readonly preimage?: string;
  readonly expected: unknown;
  readonly expectedRaw?: string;
}

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

/** What this library makes of a vector; runs in Node and in browsers. */
export function runVector(vector: Vector): unknown {
  return algorithms[vector.algorithm]!(inputOf(vector));
}
