/** What carries texts: a WebSocket of the `ws` package, of a browser, or anything a program brings itself. */
export interface Carrier {
  /** True where reading can be held back at the socket: Node. */
  readonly canHoldBack: boolean;
  /** Bytes handed over for sending that the socket has not taken yet. */
  readonly bufferedBytes: number;
  send(text: string): void;
  /** Ends the connection politely; `closed` comes later. */
  close(code: number, reason: string): void;
  /** Ends it at once. */
  destroy(): void;
  /** Stops or resumes reading. Without effect where `canHoldBack` is false. */
  holdBack(isHeld: boolean): void;
  /** A WebSocket ping; false where there is none. */
  ping(): boolean;
  /** Resolves when no more than `DRAINED_BYTES` are buffered, or the connection is closed. */
  drained(): Promise<void>;
}

/** What a carrier reports. `closed` comes once and last. */
export interface CarrierEvents {
  opened(): void;
  text(text: string): void;
  /** A frame that is not a text: pong, ping, binary. */
  alive(): void;
  closed(code: number, reason: string, cause?: unknown): void;
}

/** Options of the connection that Node alone has; browsers decide these themselves. */
export interface CarrierOptions {
  /** Certificates to trust, as PEM. */
  readonly ca?: string | readonly string[] | undefined;
  /** False: take any certificate. For tests and closed networks. */
  readonly rejectUnauthorized?: boolean | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

export type OpenCarrier = (url: string, events: CarrierEvents, options: CarrierOptions) => Carrier;
