import { SyntaxFailure } from './errors.ts';

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

const IPV4 = /^(?:25[0-5]|2[0-4]\d|[01]?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|[01]?\d?\d)){3}$/;

export function isIpv4(text: string): boolean {
  return IPV4.test(text);
}

export const isPort = (port: number): boolean => Number.isInteger(port) && port >= 0 && port <= 65535;
