/** What the store has to say to whoever runs the server. Texts and secrets never stand in it. */
export interface StoreLog {
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

export const silentLog: StoreLog = { warn: () => undefined };
