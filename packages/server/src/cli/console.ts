import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { Environment } from './context.ts';

/** Where the commands speak and listen. */
export interface Console {
  /** One line to standard output. */
  say(line: string): void;
  /** One line to standard error. */
  complain(line: string): void;
  /** Somebody sits there who can be asked. */
  readonly canAsk: boolean;
  /** Asks without showing what is typed. */
  askSecretly(question: string): Promise<string>;
  /** The first line of standard input. */
  readLine(): Promise<string>;
}

/** No password is longer; more is no line of text but a file piped in by mistake. */
const LINE_CHARS = 4_096;

export function processConsole(): Console & { readonly env: Environment } {
  return {
    env: process.env,
    say: (line) => void process.stdout.write(`${line}\n`),
    complain: (line) => void process.stderr.write(`${line}\n`),
    canAsk: process.stdin.isTTY && process.stderr.isTTY,
    askSecretly,
    readLine,
  };
}

async function askSecretly(question: string): Promise<string> {
  process.stderr.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  try {
    const [answer] = (await Promise.race([once(lines, 'line'), once(lines, 'close')])) as [string?];
    return answer ?? '';
  } finally {
    lines.close();
    process.stderr.write('\n');
  }
}

async function readLine(): Promise<string> {
  let text = '';
  process.stdin.setEncoding('utf8');
  for await (const part of process.stdin) {
    text += String(part);
    if (text.includes('\n') || text.length > LINE_CHARS) break;
  }
  if (text.length > LINE_CHARS) throw new Error(`The line on standard input is longer than ${LINE_CHARS} characters.`);
  return text.split(/\r?\n/)[0] ?? '';
}
