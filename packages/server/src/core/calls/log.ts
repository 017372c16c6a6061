/** What calls have to say to whoever runs the server. Numbers never stand in it. */
export interface CallLog {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

export const silentLog: CallLog = { debug: () => undefined, warn: () => undefined };
