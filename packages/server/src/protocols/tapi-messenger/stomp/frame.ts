/** STOMP frames as values (STOMP 1.0, 1.1, 1.2; TM §3). */

export type StompVersion = '1.0' | '1.1' | '1.2';

/** Best first. */
export const stompVersions: readonly StompVersion[] = ['1.2', '1.1', '1.0'];

/** A frame from a client. Of a repeated header the first counts (STOMP 1.2, Repeated Header Entries). */
export interface Frame {
  readonly command: string;
  /** In the order in which they came. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

export type Header = readonly [name: string, value: string];

/** A frame for a client. `content-length` is added where there is a body. */
export interface OutFrame {
  readonly command: 'CONNECTED' | 'MESSAGE' | 'RECEIPT' | 'ERROR';
  readonly headers: readonly Header[];
  readonly body?: string;
}

/** What a client may make large in one frame (TM §1). */
export interface FrameLimits {
  /** Command, headers and body together. */
  readonly maxFrameBytes: number;
  readonly maxHeaders: number;
  readonly maxHeaderLineBytes: number;
}

export const defaultFrameLimits: FrameLimits = { maxFrameBytes: 65_536, maxHeaders: 128, maxHeaderLineBytes: 8_192 };
