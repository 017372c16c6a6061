/** RFC 3403. Only `s` records of SIP services are read. */
export interface NaptrRecord {
  readonly order: number;
  readonly preference: number;
  readonly flags: string;
  readonly service: string;
  readonly replacement: string;
}

/** RFC 2782. */
export interface SrvRecord {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly name: string;
}

/**
 * Where names are looked up. Each method resolves with an empty list where the name or the record does not exist, and rejects with
 * `DnsFailure` where nobody could say.
 */
export interface Resolver {
  naptr(name: string): Promise<readonly NaptrRecord[]>;
  srv(name: string): Promise<readonly SrvRecord[]>;
  /** A records for 4, AAAA records for 6. */
  addresses(name: string, family: 4 | 6): Promise<readonly string[]>;
}

export type DnsFailureCode =
  /** No server answered, or it failed. Worth a retry. */
  | 'no-answer'
  /** The name leads nowhere. */
  | 'not-found'
  /** The URI asks for a transport or scheme that we don't have. */
  | 'unsupported';

export class DnsFailure extends Error {
  override readonly name = 'DnsFailure';
  readonly code: DnsFailureCode;

  constructor(code: DnsFailureCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
