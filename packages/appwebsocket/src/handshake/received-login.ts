import { appLoginDigest, equalDigests } from '../crypto/digests.ts';
import type { Envelope, JsonObject } from '../wire/envelope.ts';
import { isObject, textOf } from '../wire/envelope.ts';
import { rawMember } from '../wire/raw-member.ts';

/** An `AppLogin` as received, parsed once (AW §3.3). A `key` in it is ignored (AW §3.3: a defect of one client). */
export interface ReceivedLogin {
  /** As signed. A `.htm` suffix stays here; {@link appNameOf} strips it. */
  readonly app: string;
  readonly domain: string;
  readonly sip: string;
  readonly guid: string;
  readonly dn: string;
  /** PBX object addressed; undefined for absent, `null` and `""`. */
  readonly pbxObj: string | undefined;
  readonly info: JsonObject | undefined;
  /** The texts of `info` that may have been signed: the slice as received, and what `JSON.stringify` makes of it. */
  readonly infoTexts: readonly string[];
  readonly digest: string;
}

/** `app` without the suffix that a configured App URL may carry (AW §3.9). */
export function appNameOf(login: Pick<ReceivedLogin, 'app'>): string {
  return login.app.replace(/\.html?$/, '');
}

/** Takes an `AppLogin` apart. Undefined: it cannot be a login (`info` is no object, or nests too deep). */
export function parseLogin(text: string, envelope: Envelope): ReceivedLogin | undefined {
  const { app, domain, sip, guid, dn, pbxObj, digest, info } = envelope.message;
  const slice = info === undefined || info === null ? undefined : rawMember(text, 'info');
  if (slice === null || (slice !== undefined && !isObject(info))) return undefined;
  return {
    app: textOf(app),
    domain: textOf(domain),
    sip: textOf(sip),
    guid: textOf(guid),
    dn: textOf(dn),
    pbxObj: textOf(pbxObj) === '' ? undefined : textOf(pbxObj),
    ...infoParts(slice),
    digest: textOf(digest),
  };
}

/** The object is read from the very slice whose digest is checked, so the two cannot differ. */
function infoParts(slice: string | undefined): Pick<ReceivedLogin, 'info' | 'infoTexts'> {
  if (slice === undefined) return { info: undefined, infoTexts: [] };
  const info: unknown = JSON.parse(slice);
  const again = JSON.stringify(info);
  return { info: info as JsonObject, infoTexts: again === slice ? [slice] : [slice, again] };
}

/** A login that came over HTTP GET: the parameter's text itself is what was signed (AW §3.10). Undefined as above. */
export function parseQueryLogin(query: URLSearchParams): ReceivedLogin | undefined {
  const infoText = query.get('info');
  const message: Record<string, unknown> = {};
  for (const name of ['app', 'domain', 'sip', 'guid', 'dn', 'pbxObj', 'digest']) message[name] = query.get(name);
  const text = infoText === null || infoText === '' ? '{}' : `{"info":${infoText}}`;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (!isObject(parsed) || Object.keys(parsed).some((key) => key !== 'info')) return undefined;
  return parseLogin(text, { mt: 'AppLogin', api: undefined, src: undefined, message: { ...message, ...parsed } });
}

/**
 * Which of the passwords made the digest (AW §3.4 "Verifying"): its index, or -1. Every password is tried, and one
 * is tried even if there is none, so that the time does not tell an unknown app from a wrong password.
 */
export function matchingPassword(login: ReceivedLogin, challenge: string, passwords: readonly string[]): number {
  const texts: readonly (string | undefined)[] = login.infoTexts.length === 0 ? [undefined] : login.infoTexts;
  let found = -1;
  const tried = passwords.length === 0 ? ['\u0000no such app'] : passwords;
  tried.forEach((password, index) => {
    for (const info of texts) {
      const isMatch = equalDigests(login.digest, appLoginDigest({ ...login, info }, challenge, password));
      if (isMatch && found < 0) found = index;
    }
  });
  return passwords.length === 0 ? -1 : found;
}

/** Checks the text of an `AppLogin` against one password and the challenge of its connection. */
export function verifyLoginText(text: string, envelope: Envelope, challenge: string, password: string): boolean {
  const login = parseLogin(text, envelope);
  return login !== undefined && matchingPassword(login, challenge, [password]) === 0;
}
