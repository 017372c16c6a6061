import { SyntaxFailure, UnsafeValue } from './errors.ts';
import { Params, isToken, parseParams } from './params.ts';
import { isHost, parseHostPort } from './host.ts';

export type ViaTransport = 'UDP' | 'TCP' | 'TLS' | 'WS' | 'WSS' | (string & {});

/** One value of Via (RFC 3261 20.42). */
export class Via {
  /** `SIP/2.0` as a rule. */
  readonly protocol: string;
  readonly transport: ViaTransport;
  /** IPv6 with brackets. */
  readonly host: string;
  readonly port: number | undefined;
  readonly params: Params;

  constructor(transport: ViaTransport, host: string, port: number | undefined, params: Params, protocol = 'SIP/2.0') {
    this.protocol = protocol;
    this.transport = transport;
    this.host = host;
    this.port = port;
    this.params = params;
  }

  static of(parts: { transport: ViaTransport; host: string; port?: number | undefined; params?: Params }): Via {
    const host = parts.host.includes(':') && !parts.host.startsWith('[') ? `[${parts.host}]` : parts.host;
    if (!isHost(host)) throw new UnsafeValue(`Via host ${JSON.stringify(parts.host)}`);
    if (!isToken(parts.transport)) throw new UnsafeValue('Via transport');
    return new Via(parts.transport, host, parts.port, parts.params ?? Params.none);
  }

  get branch(): string | undefined {
    return this.params.get('branch');
  }

  /** `host[:port]`, for matching transactions (RFC 3261 17.2.3). */
  get sentBy(): string {
    return this.port === undefined ? this.host : `${this.host}:${this.port}`;
  }

  with(params: Params): Via {
    return new Via(this.transport, this.host, this.port, params, this.protocol);
  }

  toString(): string {
    return `${this.protocol}/${this.transport} ${this.sentBy}${this.params.toString()}`;
  }
}

const SENT_PROTOCOL = /^\s*([^\s/;]+)\s*\/\s*([^\s/;]+)\s*\/\s*([^\s/;]+)\s+/;

export function parseVia(text: string): Via {
  const fast = text.startsWith('SIP/2.0/') ? text.indexOf(' ', 8) : -1;
  let protocol = 'SIP/2.0';
  let transport = '';
  let hostAt = fast + 1;
  if (fast > 0) transport = text.slice(8, fast);
  if (fast < 0 || !isToken(transport)) {
    const match = SENT_PROTOCOL.exec(text);
    if (match === null) throw new SyntaxFailure('Via', 'bad sent-protocol');
    protocol = `${match[1] ?? ''}/${match[2] ?? ''}`;
    transport = match[3] ?? '';
    hostAt = match[0].length;
    if (!isToken(transport) || !isToken(match[1] ?? '') || !isToken(match[2] ?? ''))
      throw new SyntaxFailure('Via', 'bad sent-protocol');
  }
  const semicolon = text.indexOf(';', hostAt);
  const end = semicolon < 0 ? text.length : semicolon;
  const hostPort = parseHostPort(text.slice(hostAt, end).trim(), 'Via');
  return new Via(transport.toUpperCase(), hostPort.host, hostPort.port, parseParams(text, end, 'Via'), protocol);
}
