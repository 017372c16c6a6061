import { appLoginDigest, appSessionKey } from '../crypto/digests.ts';

/** The `AppLogin` that a browser page with a password sends, and the session key it then holds (AW §3.3, 4th row). */
export function browserPasswordLogin(
  app: string,
  password: string,
  domain: string,
  challenge: string,
): { readonly appLogin: Readonly<Record<string, string>>; readonly sessionKey: string } {
  const signed = { app, domain, sip: app, guid: '0'.repeat(32), dn: 'Admin' };
  const digest = appLoginDigest(signed, challenge, password);
  return {
    appLogin: { mt: 'AppLogin', ...signed, digest, pbxObj: app },
    sessionKey: appSessionKey(challenge, password),
  };
}
