import { SyntaxFailure, refuseLineBreaks } from './errors.ts';
import { Params, endOfQuoted, parseParams, quote, unquote } from './params.ts';
import { parseUri } from './uri.ts';
import type { Uri } from './uri.ts';

export interface NameAddrParts {
  readonly displayName?: string | undefined;
  readonly uri: Uri;
  readonly params?: Params;
}

/** `"Display" <uri>;params`: From, To, Contact, Route, Refer-To and others (RFC 3261 20.10). The URI is read on first use. */
export class NameAddr {
  readonly displayName: string | undefined;
  readonly uriText: string;
  readonly params: Params;
  #uri: Uri | undefined;

  constructor(displayName: string | undefined, uriText: string, params: Params) {
    this.displayName = displayName;
    this.uriText = uriText;
    this.params = params;
  }

  static of(parts: NameAddrParts): NameAddr {
    if (parts.displayName !== undefined) refuseLineBreaks('display name', parts.displayName);
    const made = new NameAddr(parts.displayName, parts.uri.toString(), parts.params ?? Params.none);
    made.#uri = parts.uri;
    return made;
  }

  /** Throws `SyntaxFailure` where the text is no URI. */
  get uri(): Uri {
    return (this.#uri ??= parseUri(this.uriText));
  }

  get tag(): string | undefined {
    return this.params.get('tag');
  }

  withParam(name: string, value: string | number | true): NameAddr {
    return new NameAddr(this.displayName, this.uriText, this.params.with(name, value));
  }

  withoutParam(name: string): NameAddr {
    return new NameAddr(this.displayName, this.uriText, this.params.without(name));
  }

  toString(): string {
    const name = this.displayName === undefined || this.displayName === '' ? '' : `${quote(this.displayName)} `;
    return `${name}<${this.uriText}>${this.params.toString()}`;
  }
}

/** Characters of an unquoted display name: tokens and white space (RFC 3261 25.1), and UTF-8, which phones do send. */
const PLAIN_NAME = /^[A-Za-z0-9\-.!%*_+`'~ \t\u0080-\uffff]*$/;

export function parseNameAddr(text: string, what: string): NameAddr {
  let i = 0;
  while (i < text.length && (text.charCodeAt(i) === 32 || text.charCodeAt(i) === 9)) i++;
  const quoted = text.charCodeAt(i) === 34;
  const nameEnd = quoted ? endOfQuoted(text, i) : i;
  if (nameEnd < 0) throw new SyntaxFailure(what, 'the display name never ends');
  const open = text.indexOf('<', nameEnd);
  if (open < 0) {
    if (quoted) throw new SyntaxFailure(what, 'a display name without <uri>');
    return parseAddrSpec(text, i, what);
  }
  const close = text.indexOf('>', open);
  if (close < 0) throw new SyntaxFailure(what, '">" is missing');
  const between = text.slice(nameEnd, open);
  if (quoted ? between.trim() !== '' : !PLAIN_NAME.test(between)) throw new SyntaxFailure(what, 'bad display name');
  const displayName = quoted ? unquote(text.slice(i, nameEnd)) : between.trim();
  const uriText = text.slice(open + 1, close);
  if (!uriText.includes(':') || /[\s<"]/.test(uriText)) throw new SyntaxFailure(what, 'no URI');
  return new NameAddr(displayName === '' ? undefined : displayName, uriText, parseParams(text, close + 1, what));
}

/** Without `<>` what follows `;` belongs to the header, and `,` and `?` are not allowed (RFC 3261 20). */
function parseAddrSpec(text: string, from: number, what: string): NameAddr {
  const semicolon = text.indexOf(';', from);
  const end = semicolon < 0 ? text.length : semicolon;
  const uriText = text.slice(from, end).trimEnd();
  if (!uriText.includes(':') || /[\s,?>"]/.test(uriText)) throw new SyntaxFailure(what, 'no URI');
  return new NameAddr(undefined, uriText, parseParams(text, end, what));
}
