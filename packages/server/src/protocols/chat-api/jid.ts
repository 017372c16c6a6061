import { badRequest } from './errors.ts';

/** Characters that no local part holds (RFC 7622 §3.3.1), besides control characters. */
const FORBIDDEN = /["&'/:<>@\u0000-\u0020\u007f]/;

/** An address of a user of this server. */
export interface Address {
  readonly name: string;
  /** Null: no domain was given, or it is ours. */
  readonly foreignDomain: string | null;
}

/** `Bob`, `bob@example.test`, `bob@example.test/phone` → name `bob`. @throws bad-request */
export function parseAddress(text: string, domain: string): Address {
  const slash = text.indexOf('/');
  const bare = slash < 0 ? text : text.slice(0, slash);
  const at = bare.indexOf('@');
  const name = (at < 0 ? bare : bare.slice(0, at)).toLowerCase();
  const host = at < 0 ? domain : bare.slice(at + 1).toLowerCase();
  const isHost = host === domain || (host !== '' && !FORBIDDEN.test(host));
  if (name === '' || name.length > 128 || FORBIDDEN.test(name) || !isHost)
    throw badRequest(text.slice(0, 64), 'This is no address of a user.');
  return { name, foreignDomain: host === domain ? null : host };
}

export function bareJid(name: string, domain: string): string {
  return `${name}@${domain}`;
}

export function fullJid(name: string, domain: string, resource: string | null): string {
  return resource === null || resource === '' ? bareJid(name, domain) : `${name}@${domain}/${resource}`;
}
