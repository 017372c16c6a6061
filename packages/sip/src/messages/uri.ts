import { SyntaxFailure, UnsafeValue } from './errors.ts';
import { Params, isLooseParam } from './params.ts';

/** At most this many characters in one URI: far above real ones, below a datagram. */
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

  with(change: Partial<SipUriParts>): SipUri {
    return SipUri.of({
      scheme: this.scheme,
      user: this.user,
      ...(this.password === undefined ? {} : { password: unescape(this.password) }),
      host: this.host,
      port: this.port,
      params: this.params,
      headers: this.headers,
      ...change,
    });
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
  for (const part of text.split(';', 65)) {
    const equals = part.indexOf('=');
    const name = equals < 0 ? part : part.slice(0, equals);
    const value = equals < 0 ? undefined : part.slice(equals + 1);
    if (!isLooseParam(name) || (value !== undefined && !isLooseParam(value)))
      throw new SyntaxFailure('uri', 'bad parameter');
    if (/%(?![0-9A-Fa-f]{2})/.test(part)) throw new SyntaxFailure('uri', 'bad escape');
    pairs.push(name, value);
  }
  if (pairs.length > 128) throw new SyntaxFailure('uri', 'too many parameters');
  return new Params(pairs);
}

function readUriHeaders(text: string): Params {
  const pairs: (string | undefined)[] = [];
  for (const part of text.split('&', 65)) {
    const equals = part.indexOf('=');
    if (equals <= 0) throw new SyntaxFailure('uri', 'bad header');
    const value = part.slice(equals + 1);
    if (!HEADER_PART.test(part.slice(0, equals)) || !HEADER_PART.test(value) || /%(?![0-9A-Fa-f]{2})/.test(part))
      throw new SyntaxFailure('uri', 'bad header');
    pairs.push(part.slice(0, equals), value);
  }
  if (pairs.length > 128) throw new SyntaxFailure('uri', 'too many headers');
  return new Params(pairs);
}

export interface HostPort {
  readonly host: string;
  readonly port: number | undefined;
}

/** `host`, `host:port`, `[IPv6]`, `[IPv6]:port`. */
export function parseHostPort(text: string, what: string): HostPort {
  const bracket = text.charCodeAt(0) === 91 ? text.indexOf(']') : -1;
  const colon = text.indexOf(':', bracket + 1);
  const host = (colon < 0 ? text : text.slice(0, colon)).trimEnd().toLowerCase();
  if (!isHost(host)) throw new SyntaxFailure(what, 'bad host');
  if (colon < 0) return { host, port: undefined };
  const digits = text.slice(colon + 1).trim();
  const port = /^\d{1,10}$/.test(digits) ? Number(digits) : -1;
  if (!isPort(port)) throw new SyntaxFailure(what, 'bad port');
  return { host, port };
}

const HOST_NAME =
  /^[A-Za-z0-9_](?:[A-Za-z0-9\-_]*[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9\-_]*[A-Za-z0-9_])?)*\.?$/;

export function isHost(host: string): boolean {
  if (host.length === 0 || host.length > 255) return false;
  return host.charCodeAt(0) === 91 ? isIpv6Reference(host) : HOST_NAME.test(host);
}

/** A bracketed IPv6 address, zone identifiers excluded (RFC 3261 25.1; RFC 5118 4.1 to 4.10). */
function isIpv6Reference(host: string): boolean {
  if (host.charCodeAt(host.length - 1) !== 93) return false;
  return isIpv6(host.slice(1, -1));
}

export function isIpv6(text: string): boolean {
  if (text.length < 2 || text.length > 45 || !/^[0-9A-Fa-f:.]+$/.test(text)) return false;
  const halves = text.split('::');
  if (halves.length > 2) return false;
  let groups = 0;
  for (const [h, half] of halves.entries()) {
    if (half === '') continue;
    const parts = half.split(':');
    for (const [i, part] of parts.entries()) {
      const isLast = h === halves.length - 1 && i === parts.length - 1;
      if (isLast && isIpv4(part)) groups += 2;
      else if (/^[0-9A-Fa-f]{1,4}$/.test(part)) groups += 1;
      else return false;
    }
  }
  return halves.length === 2 ? groups <= 7 : groups === 8;
}

export function isIpv4(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((p) => /^\d{1,3}$/.test(p) && Number(p) <= 255);
}

const isPort = (port: number): boolean => Number.isInteger(port) && port >= 0 && port <= 65535;

/** Characters a user part may hold unescaped (RFC 3261 25.1, user-unreserved and unreserved). */
function escapeUser(text: string): string {
  if (/^[A-Za-z0-9\-_.!~*'()&=+$,;?/]*$/.test(text)) return text;
  let out = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    const c = String.fromCharCode(byte);
    out += /[A-Za-z0-9\-_.!~*'()&=+$,;?/]/.test(c) ? c : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}

function unescape(text: string): string {
  if (!text.includes('%')) return text;
  const bytes = Buffer.from(
    text.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
    'latin1',
  );
  const decoded = bytes.toString('utf8');
  return decoded.includes('�') ? text : decoded;
}

/** RFC 3261 19.1.4: whether two URIs mean the same resource. */
export function sameUri(a: Uri, b: Uri): boolean {
  if (!isSipUri(a) || !isSipUri(b)) return !isSipUri(a) && !isSipUri(b) && a.toString() === b.toString();
  if (a.scheme !== b.scheme || a.user !== b.user || a.password !== b.password) return false;
  if (a.host !== b.host || a.port !== b.port) return false;
  return sameUriParams(a.params, b.params) && sameUriHeaders(a.headers, b.headers);
}

/** These count even where only one side has them. */
const ALWAYS_COMPARED: readonly string[] = ['user', 'ttl', 'method', 'maddr', 'transport'];

function sameUriParams(a: Params, b: Params): boolean {
  for (const [name, value] of a.entries()) {
    const other = b.get(name);
    if (other === undefined) {
      if (ALWAYS_COMPARED.includes(name.toLowerCase())) return false;
    } else if (unescape(other).toLowerCase() !== unescape(value ?? '').toLowerCase()) return false;
  }
  return ALWAYS_COMPARED.every((name) => !b.has(name) || a.has(name));
}

function sameUriHeaders(a: Params, b: Params): boolean {
  if (a.size !== b.size) return false;
  for (const [name, value] of a.entries()) {
    const other = b.get(name);
    if (other === undefined || unescape(other) !== unescape(value ?? '')) return false;
  }
  return true;
}
