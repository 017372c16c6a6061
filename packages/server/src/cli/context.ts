import type { Config } from '../config/index.ts';
import type { OpenAdministration } from './administration.ts';
import type { Console } from './console.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What `serve` needs of a running server. */
export interface RunningServer {
  readonly urls: readonly string[];
  close(): Promise<void>;
}

/** Everything the commands reach the world by. */
export interface CliContext {
  readonly version: string;
  readonly env: Environment;
  readonly console: Console;
  readonly startServer: (config: Config) => Promise<RunningServer>;
  readonly openAdministration: OpenAdministration;
  /** Builds the web client where that is needed. Resolves to what it did, for humans, or null. */
  readonly buildWeb: (say: (line: string) => void) => Promise<void>;
  /** Ends the process at once. */
  readonly exit: (status: number) => void;
  /** Calls `heard` for SIGTERM and SIGINT until the returned function is called. */
  readonly onSignal: (heard: (signal: string) => void) => () => void;
}
