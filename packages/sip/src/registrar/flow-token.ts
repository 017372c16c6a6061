import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Flow, Protocol } from '../transport/port.ts';

/** RFC 5626 5.2 asks for 80 bits. */
const SIGNATURE_BYTES = 10;

export interface FlowTokensOptions {
  /** The live flow of a connection: `SipTransports.flowOf`. */
  readonly flowOf: (connectionId: string) => Flow | undefined;
  /** The same key on all nodes that read each other's tokens, and over restarts. Random where missing. */
  readonly key?: Uint8Array;
}

/**
 * Names of flows for an edge proxy: the user part of its Path or Record-Route (RFC 5626 5.2). Nobody can make one up, and a token of a
 * connection that has ended leads nowhere (430).
 */
export class FlowTokens {
  readonly #options: FlowTokensOptions;
  readonly #key: Uint8Array;

  constructor(options: FlowTokensOptions) {
    this.#options = options;
    this.#key = options.key ?? randomBytes(32);
  }

  write(flow: Flow): string {
    const { protocol, local, remote, connection } = flow;
    const name =
      connection === undefined
        ? [protocol, local.address, local.port, remote.address, remote.port]
        : [protocol, connection.id];
    const text = Buffer.from(name.join(' '));
    return Buffer.concat([this.#sign(text), text]).toString('base64url');
  }

  read(token: string): Flow | undefined {
    const bytes = Buffer.from(token, 'base64url');
    const text = bytes.subarray(SIGNATURE_BYTES);
    if (text.length === 0 || !timingSafeEqual(bytes.subarray(0, SIGNATURE_BYTES), this.#sign(text))) return undefined;
    const [protocol = '', address = '', port, remote = '', remotePort] = text.toString().split(' ');
    if (port === undefined) return this.#options.flowOf(address);
    return {
      protocol: protocol as Protocol,
      local: { address, port: Number(port) },
      remote: { address: remote, port: Number(remotePort) },
    };
  }

  #sign(text: Uint8Array): Buffer {
    return createHmac('sha256', this.#key).update(text).digest().subarray(0, SIGNATURE_BYTES);
  }
}
