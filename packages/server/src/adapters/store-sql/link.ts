/** What a desk hears of whoever works for it. */
export interface LinkEvents<Reply> {
  readonly onReply: (reply: Reply) => void;
  /** It is gone, or could not be opened: nothing that was asked of it will be answered. */
  readonly onDown: (reason: string) => void;
}

/** The way from a desk to whoever works for it: a worker thread, or connections. When it is gone, it comes back by itself. */
export interface Link<Ask> {
  /** Resolves when it is open for the first time, rejects with what it refused for. */
  open(): Promise<undefined>;
  readonly isOpen: boolean;
  /** The last attempt has failed; the next one waits for its time. */
  readonly isDown: boolean;
  /** How often it had to be opened again. */
  readonly restarts: number;
  /** Only while `isOpen`. Throws where `ask` can't be sent. */
  post(ask: Ask): void;
  /** Lets it finish what it was asked, and ends it. Idempotent. */
  close(): Promise<void>;
}
