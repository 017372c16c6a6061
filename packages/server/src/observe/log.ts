import { destination, pino, stdTimeFunctions, type Logger } from 'pino';
import { humanLine } from './human.ts';
import { redacted } from './redact.ts';

export type Fields = Readonly<Record<string, unknown>>;
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/**
 * One line per event. `event` is a stable name (`appws.login-failed`), never a sentence; what varies is in the fields.
 * Secrets and chat text are taken out, long values cut (redact.ts).
 */
export interface Log {
  debug(event: string, fields?: Fields): void;
  info(event: string, fields?: Fields): void;
  warn(event: string, fields?: Fields): void;
  error(event: string, fields?: Fields): void;
  /** For parts that say it in a sentence: lines of the event `<name>.note` with the sentence as `what`. */
  part(name: string): Log;
  /** Everything written is out. For the end of the process. */
  flush(): void;
}

export interface LogOptions {
  readonly level?: LogLevel;
  readonly format?: 'json' | 'human';
  readonly maskNumbers?: boolean;
  /** Fields of every line, such as the node's name. */
  readonly base?: Fields;
  /** Takes finished lines; default: standard output, without waiting for its reader. */
  readonly write?: (line: string) => void;
}

/**
 * What may wait for a reader of standard output that has stopped reading; lines beyond it are lost, the server goes on.
 * @peer lines are lost
 * @test observe: standard output that nobody reads
 */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

interface Sink {
  readonly stream: { write(line: string): void };
  flush(): void;
}

export function createLog(options: LogOptions = {}): Log {
  const { level = 'info', format = 'json', maskNumbers = false, base = {} } = options;
  const sink = options.write === undefined ? standardOutput() : { stream: { write: options.write }, flush: () => {} };
  const stream =
    format === 'json' ? sink.stream : { write: (line: string): void => sink.stream.write(humanLine(line)) };
  const settings = {
    level,
    base: { ...base },
    messageKey: 'event',
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return logOn(pino(settings, stream), { maskNumbers }, () => sink.flush());
}

/** For tests and for what is built before settings are known. */
export function silentLog(): Log {
  return createLog({ level: 'silent', write: () => {} });
}

function standardOutput(): Sink {
  const stream = destination({ dest: 1, sync: false, maxLength: MAX_WAITING_BYTES });
  return { stream, flush: () => stream.flushSync() };
}

function logOn(logger: Logger, options: { readonly maskNumbers: boolean }, flush: () => void): Log {
  const write = (level: Exclude<LogLevel, 'silent'>, event: string, fields: Fields | undefined): void => {
    if (!logger.isLevelEnabled(level)) return;
    logger[level](fields === undefined ? {} : redacted(fields, options), event);
  };
  return {
    debug: (event, fields) => write('debug', event, fields),
    info: (event, fields) => write('info', event, fields),
    warn: (event, fields) => write('warn', event, fields),
    error: (event, fields) => write('error', event, fields),
    part(name) {
      const say =
        (level: Exclude<LogLevel, 'silent'>) =>
        (what: string, fields?: Fields): void =>
          write(level, `${name}.note`, { what, ...fields });
      const own: Log = {
        debug: say('debug'),
        info: say('info'),
        warn: say('warn'),
        error: say('error'),
        part: () => own,
        flush,
      };
      return own;
    },
    flush,
  };
}
