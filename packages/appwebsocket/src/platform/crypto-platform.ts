/** What each runtime's module exports; `#crypto` resolves to one of them when the program is built or started. */
export interface CryptoPlatform {
  /** Lowercase hex SHA-256 of the UTF-8 bytes of a text. */
  readonly sha256Hex: (text: string) => string;
  /** Lowercase hex of that many bytes from the system's random source. */
  readonly randomHex: (byteCount: number) => string;
  /** Equality of two texts in a time that depends on their lengths only. */
  readonly equalInConstantTime: (a: string, b: string) => boolean;
}
