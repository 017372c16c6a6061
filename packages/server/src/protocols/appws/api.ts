import type { Envelope } from '@tieline/appwebsocket';
import type { LeaseEnd } from '../../core/presence/index.ts';
import type { EncodedFrame } from '../../http/index.ts';
import type { LoggedIn } from './logins.ts';

/** The carrier of one connection as its APIs see it. */
export interface Channel {
  /** Of the connection. */
  readonly id: string;
  readonly address: string;
  send(text: string): void;
  /** What `encodeText` has made. */
  sendEncoded(frame: EncodedFrame): void;
  /** The peer reads: false while too much waits in the socket; `onWritable` tells when it does again. */
  isWritable(): boolean;
  onWritable(listener: () => void): void;
  /** Reads no further while it is on: what the peer sends waits in the socket. */
  pause(isOn: boolean): void;
  /** What was asked for is more than a bound: counted by its name. */
  limitHit(name: string): void;
  close(code: number, reason: string): void;
}

/** One API on one connection. */
export interface ApiSession {
  /** False: this API has no such message. `characters`: the length of the frame. */
  message(envelope: Envelope, characters: number): boolean;
  /** The connection has gone. */
  close(how: LeaseEnd): void;
}

/** An API of the PBX: what a granted connection may open. */
export interface Api {
  readonly name: string;
  open(channel: Channel, who: LoggedIn): ApiSession;
}
