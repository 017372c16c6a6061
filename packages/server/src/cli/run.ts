import { CommanderError, type Command } from 'commander';
import { ConfigError } from '../config/index.ts';
import { Problem, reasonOf } from '../kit/index.ts';
import type { CliContext } from './context.ts';
import { createProgram } from './program.ts';
import type { DemoAccounts } from './serve.ts';

/** Settings that can't be used end with this status (TM §1). */
const BAD_SETTINGS = 2;
const FAILED = 1;

/** Runs one command. @returns the exit status */
export async function runCli(args: readonly string[], context: CliContext, accounts: DemoAccounts): Promise<number> {
  let status = 0;
  const program = createProgram(context, accounts, (ended) => {
    status = ended;
  });
  for (const command of [program, ...program.commands.flatMap((c) => [c, ...c.commands])]) quiet(command, context);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return status;
  } catch (error) {
    // Commander has said what was wrong, or shown the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode;
    context.console.complain(explained(error));
    return error instanceof ConfigError ? BAD_SETTINGS : FAILED;
  }
}

/** Lets the caller decide how to end, and speaks through the console. */
function quiet(command: Command, { console }: CliContext): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => console.say(text.trimEnd()),
    writeErr: (text) => console.complain(text.trimEnd()),
  });
}

/** What went wrong, for whoever typed the command. */
function explained(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  if (error instanceof Problem)
    return error.subject === undefined ? error.message : `${error.subject}: ${error.message}`;
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')
    return `${error.message}. Another program listens there; set another PORT or SIP_PORT.`;
  return error instanceof Error ? (error.stack ?? error.message) : reasonOf(error);
}
