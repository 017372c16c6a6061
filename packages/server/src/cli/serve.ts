import type { Config } from '../config/index.ts';
import { reasonOf } from '../kit/index.ts';
import type { CliContext, RunningServer } from './context.ts';

/** The same signal within this time counts once: npm passes on what the terminal has sent to everybody already. */
const ECHO_MS = 300;
/** After the drain time: what closing itself may take before the process ends anyway. */
const CLOSE_MS = 10_000;

/** Accounts that the demo prints, by name. */
export type DemoAccounts = readonly {
  readonly name: string;
  readonly number: string;
  readonly displayName: string;
}[];

/**
 * Runs a server until a signal says stop: the first drains and closes, the second ends at once.
 * @returns the exit status
 */
export async function serve(config: Config, context: CliContext, accounts: DemoAccounts): Promise<number> {
  const { console } = context;
  const { promise: stopped, resolve: stop } = Promise.withResolvers<string>();
  let first: { readonly signal: string; readonly at: number } | undefined;
  const unhear = context.onSignal((signal) => {
    const isEcho = first?.signal === signal && performance.now() - first.at < ECHO_MS;
    if (isEcho) return;
    if (first !== undefined) return context.exit(1);
    first = { signal, at: performance.now() };
    stop(signal);
  });
  try {
    const server = await context.startServer(config);
    greet(server, config, context, accounts);
    console.say(`Stopping on ${await stopped}; once more to stop at once.`);
    return await close(server, config, context);
  } finally {
    unhear();
  }
}

async function close(server: RunningServer, config: Config, { console, exit }: CliContext): Promise<number> {
  const deadline = setTimeout(() => {
    console.complain('Closing takes too long; ending now.');
    exit(1);
  }, config.http.drainMs + CLOSE_MS);
  try {
    await server.close();
    console.say('Stopped.');
    return 0;
  } catch (error) {
    console.complain(`Closing failed: ${reasonOf(error)}`);
    return 1;
  } finally {
    clearTimeout(deadline);
  }
}

function greet(server: RunningServer, config: Config, { console, version }: CliContext, accounts: DemoAccounts): void {
  console.say(`Tieline ${version} is ready: ${server.urls.map(friendlyUrl).join(', ')}`);
  if (!config.demo) return;
  console.say(`The demo world, for this machine only. Everybody's password is "demo":`);
  for (const { number, name, displayName } of accounts) console.say(`  ${number}  ${name.padEnd(6)} ${displayName}`);
}

/** People type localhost. */
function friendlyUrl(url: string): string {
  return url.replace(/^(https?:\/\/)(127\.0\.0\.1|\[::1\])(?=:|$)/, '$1localhost');
}
