import { SyntaxFailure, UnsafeValue } from './errors.ts';
import { isHost, isPort, parseHostPort } from './host.ts';
import { MAX_PARAMS, Params, isLooseParam } from './params.ts';
import { escapeUser, unescape } from './uri-escapes.ts';

/**
 * At most this many characters in one URI: far above real ones, below a datagram.
 * @peer 400, 416
 * @test uri: sip:${
 */
export const MAX_URI_LENGTH = 2048;

export interface SipUriParts {
  readonly scheme?: 'sip' | 'sips';
  /** Unescaped; escapes are added where the grammar wants them. */
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** A name, an IPv4 address, or an IPv6 address with or without its brackets. */
  readonly host: string;
  readonly port?: number | undefined;
  readonly params?: Params;
  readonly headers?: Params;
}

/**
 * A SIP or SIPS URI (RFC 3261 19.1), immutable. It is written exactly as it was read.
 *
 * @example parseUri('sip:%61lice@[2001:db8::1]:5061;lr') // user "alice", host "[2001:db8::1]", port 5061
 */
export class SipUri {
  readonly scheme: 'sip' | 'sips';
  /** As on the wire, with its escapes. */
  readonly rawUser: string | undefined;
  readonly password: string | undefined;
  /** Lower case; IPv6 with brackets. */
  readonly host: string;
  readonly port: number | undefined;
  readonly params: Params;
  /** The part after `?`. */
  readonly headers: Params;
  readonly #text: string;

  private constructor(fields: SipUriFields, text: string) {
    this.scheme = fields.scheme;
    this.rawUser = fields.rawUser;
    this.password = fields.password;
    this.host = fields.host;
    this.port = fields.port;
    this.params = fields.params;
    this.headers = fields.headers;
    this.#text = text;
  }

  /** Makes a URI of parts. Throws `UnsafeValue` where a part can't be written. */
  static of(parts: SipUriParts): SipUri {
    const host = parts.host.includes(':') && !parts.host.startsWith('[') ? `[${parts.host}]` : parts.host;
    if (!isHost(host)) throw new UnsafeValue(`host ${JSON.stringify(parts.host)}`);
    if (parts.port !== undefined && !isPort(parts.port)) throw new UnsafeValue(`port ${parts.port}`);
    const fields: SipUriFields = {
      scheme: parts.scheme ?? 'sip',
      rawUser: parts.user === undefined ? undefined : escapeUser(parts.user),
      password: parts.password === undefined ? undefined : escapeUser(parts.password),
      host: host.toLowerCase(),
      port: parts.port,
      params: parts.params ?? Params.none,
      headers: parts.headers ?? Params.none,
    };
    for (const [name, value] of fields.params.entries())
      if (!isLooseParam(name) || (value !== undefined && !isLooseParam(value)))
        throw new UnsafeValue(`URI parameter ${name}`);
    return new SipUri(fields, format(fields));
  }

  /** For the parser: parts already checked and their text. */
  static read(fields: SipUriFields, text: string): SipUri {
    return new SipUri(fields, text);
  }

  /** The user part without escapes; where these are no UTF-8, as written. */
  get user(): string | undefined {
    return this.rawUser === undefined ? undefined : unescape(this.rawUser);
  }

  /** The host as sockets want it: IPv6 without brackets. */
  get address(): string {
    return this.host.startsWith('[') ? this.host.slice(1, -1) : this.host;
  }

  get transport(): string | undefined {
    return this.params.get('transport')?.toLowerCase();
  }

  /** The address of record: scheme, user and host, without port and parameters (RFC 3261 10.3 step 5). */
  get aor(): string {
    return this.rawUser === undefined ? `sip:${this.host}` : `sip:${escapeUser(this.user ?? '')}@${this.host}`;
  }

  /** A copy with these parts changed; the others stay as they are written. */
  with(change: Partial<SipUriParts>): SipUri {
    const made = SipUri.of({
      scheme: this.scheme,
      user: this.user,
      ...(this.password === undefined ? {} : { password: unescape(this.password) }),
      host: this.host,
      port: this.port,
      params: this.params,
      headers: this.headers,
      ...change,
    });
    if ('user' in change || 'password' in change) return made;
    // Escapes that need not be, or are no UTF-8, mean something to who wrote them.
    const { scheme, host, port, params, headers } = made;
    const fields = { scheme, rawUser: this.rawUser, password: this.password, host, port, params, headers };
    return new SipUri(fields, format(fields));
  }

  toString(): string {
    return this.#text;
  }
}

export interface SipUriFields {
  readonly scheme: 'sip' | 'sips';
  readonly rawUser: string | undefined;
  readonly password: string | undefined;
  readonly host: string;
  readonly port: number | undefined;
  readonly params: Params;
  readonly headers: Params;
}

/** A URI of another scheme (`tel:`, `urn:` …): kept as it is. */
export interface OtherUri {
  readonly scheme: string;
  /** What follows the colon. */
  readonly opaque: string;
  toString(): string;
}

export type Uri = SipUri | OtherUri;

export function isSipUri(uri: Uri): uri is SipUri {
  return uri instanceof SipUri;
}

function format(u: SipUriFields): string {
  let out = `${u.scheme}:`;
  if (u.rawUser !== undefined) out += u.password === undefined ? `${u.rawUser}@` : `${u.rawUser}:${u.password}@`;
  out += u.host;
  if (u.port !== undefined) out += `:${u.port}`;
  out += u.params.toString();
  if (u.headers.size > 0) out += `?${u.headers.write('&').slice(1)}`;
  return out;
}

/** Reads any URI; throws `SyntaxFailure`. The whole text must be the URI. */
export function parseUri(text: string): Uri {
  if (text.length > MAX_URI_LENGTH) throw new SyntaxFailure('uri', 'too long');
  const colon = text.indexOf(':');
  if (colon <= 0) throw new SyntaxFailure('uri', 'no scheme');
  const scheme = text.slice(0, colon).toLowerCase();
  if (scheme === 'sip' || scheme === 'sips') return parseSipUri(text, scheme, colon + 1);
  if (!/^[a-z][a-z0-9+.-]*$/.test(scheme)) throw new SyntaxFailure('uri', 'bad scheme');
  if (!/^[\x21\x23-\x3b\x3d\x3f-\x7e]+$/.test(text.slice(colon + 1))) throw new SyntaxFailure('uri', 'bad character');
  return { scheme, opaque: text.slice(colon + 1), toString: () => text };
}

const USER_INFO = /^[A-Za-z0-9\-_.!~*'()&=+$,;?/#[\]]*$/;
const PASSWORD = /^[A-Za-z0-9\-_.!~*'()&=+$,]*$/;
const HEADER_PART = /^[A-Za-z0-9\-_.!~*'()%[\]/?:+$,;@]*$/;

function parseSipUri(text: string, scheme: 'sip' | 'sips', from: number): SipUri {
  const at = text.indexOf('@', from);
  let rawUser: string | undefined;
  let password: string | undefined;
  if (at >= 0) {
    const info = text.slice(from, at);
    const colon = info.indexOf(':');
    rawUser = colon < 0 ? info : info.slice(0, colon);
    if (colon >= 0) password = info.slice(colon + 1);
    if (rawUser === '' || !isEscapedText(rawUser, USER_INFO)) throw new SyntaxFailure('uri', 'bad user part');
    if (password !== undefined && !isEscapedText(password, PASSWORD)) throw new SyntaxFailure('uri', 'bad password');
  }
  const hostAt = at < 0 ? from : at + 1;
  const question = text.indexOf('?', hostAt);
  const addressEnd = question < 0 ? text.length : question;
  const semicolon = text.indexOf(';', hostAt);
  const hostEnd = semicolon < 0 || semicolon > addressEnd ? addressEnd : semicolon;
  const place = text.slice(hostAt, hostEnd);
  // White space around the colon is Via's alone.
  if (/\s/.test(place)) throw new SyntaxFailure('uri', 'white space');
  const hostPort = parseHostPort(place, 'uri');
  return SipUri.read(
    {
      scheme,
      rawUser,
      password,
      host: hostPort.host,
      port: hostPort.port,
      params: hostEnd === addressEnd ? Params.none : readUriParams(text.slice(hostEnd + 1, addressEnd)),
      headers: question < 0 ? Params.none : readUriHeaders(text.slice(question + 1)),
    },
    text,
  );
}

/** Escapes must be two hex digits (RFC 3261 25.1); everything else must match the set. */
function isEscapedText(text: string, set: RegExp): boolean {
  if (!text.includes('%')) return set.test(text);
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return false;
  return set.test(text.replaceAll(/%[0-9A-Fa-f]{2}/g, ''));
}

function readUriParams(text: string): Params {
  const pairs: (string | undefined)[] = [];
  for (const part of text.split(';', MAX_PARAMS + 1)) {
    const equals = part.indexOf('=');
    const name = equals < 0 ? part : part.slice(0, equals);
    const value = equals < 0 ? undefined : part.slice(equals + 1);
    if (!isLooseParam(name) || (value !== undefined && !isLooseParam(value)))
      throw new SyntaxFailure('uri', 'bad parameter');
    if (/%(?![0-9A-Fa-f]{2})/.test(part)) throw new SyntaxFailure('uri', 'bad escape');
    pairs.push(name, value);
  }
  if (pairs.length > 2 * MAX_PARAMS) throw new SyntaxFailure('uri', 'too many parameters');
  return new Params(pairs);
}

function readUriHeaders(text: string): Params {
  const pairs: (string | undefined)[] = [];
  for (const part of text.split('&', MAX_PARAMS + 1)) {
    const equals = part.indexOf('=');
    if (equals <= 0) throw new SyntaxFailure('uri', 'bad header');
    const value = part.slice(equals + 1);
    if (!HEADER_PART.test(part.slice(0, equals)) || !HEADER_PART.test(value) || /%(?![0-9A-Fa-f]{2})/.test(part))
      throw new SyntaxFailure('uri', 'bad header');
    pairs.push(part.slice(0, equals), value);
  }
  if (pairs.length > 2 * MAX_PARAMS) throw new SyntaxFailure('uri', 'too many headers');
  return new Params(pairs);
}
