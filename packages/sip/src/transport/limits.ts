/** Bounds of the transports; each may be set lower or higher when they are opened. */
export interface TransportLimits {
  /** Open connections, all listeners together. Ten thousand phones and their trunks; each costs some KB. */
  readonly maxConnections: number;
  /** Open connections from one address: an office behind one NAT has hundreds of phones, an attacker wants all. */
  readonly maxConnectionsPerAddress: number;
  /** Bytes waiting for a peer that does not read. A phone reads at once; a megabyte is minutes of signalling. */
  readonly maxQueuedBytes: number;
  /** From the first byte of a message to its last. RFC 3261's transaction lifetime: later nobody waits for it. */
  readonly messageTimeoutMs: number;
  /** A new connection must bring a whole message or keep-alive within this time. */
  readonly firstMessageTimeoutMs: number;
  /**
   * Without a byte in either direction. Clients of RFC 5626 ping every two minutes; a phone without it is only heard when it registers
   * again, at the latest after an hour, and is gone with its connection.
   */
  readonly idleTimeoutMs: number;
  /** To open a connection, with its TLS or WebSocket handshake. Half of Timer B, so that there is time for another target. */
  readonly connectTimeoutMs: number;
}

export const DEFAULT_LIMITS: TransportLimits = {
  /** @peer the connection ends at once @test transport/bounds: connections are bounded */
  maxConnections: 10_000,
  /** @peer the connection ends at once @test transport/bounds: connections are bounded */
  maxConnectionsPerAddress: 1_000,
  /** @peer the connection ends @test transport/bounds: a peer that does not read */
  maxQueuedBytes: 1024 * 1024,
  /** @peer the connection ends @test transport/bounds: slow: a message must be whole */
  messageTimeoutMs: 32_000,
  /** @peer the connection ends @test transport/bounds: half-open */
  firstMessageTimeoutMs: 30_000,
  /** @peer the connection ends @test transport/bounds: half-open */
  idleTimeoutMs: 65 * 60_000,
  /** @peer the message fails @test transport/bounds: a connection that does not open */
  connectTimeoutMs: 10_000,
};

/**
 * RFC 3261 18.1.1: a larger request leaves UDP for a transport with congestion control.
 * @peer comes by TCP
 * @test large-requests: trap 8
 */
export const MAX_DATAGRAM_REQUEST = 1300;
/**
 * What a UDP datagram can hold over IPv4.
 * @peer the message fails
 * @test transport/bounds: what no datagram can hold
 */
export const MAX_DATAGRAM = 65_507;
