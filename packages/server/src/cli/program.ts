import { Command, InvalidArgumentError, Option } from 'commander';
import { loadConfig, type Config } from '../config/index.ts';
import * as accounts from './accounts.ts';
import type { Administration } from './administration.ts';
import type { CliContext } from './context.ts';
import * as secrets from './secrets.ts';
import { serve, type DemoAccounts } from './serve.ts';
import { simulate, type SimulateOptions } from './simulate.ts';

/** The commands and their options. They do nothing themselves; each calls one function. */
export function createProgram(
  context: CliContext,
  demoAccounts: DemoAccounts,
  done: (status: number) => void,
): Command {
  const program = new Command('tieline')
    .description('Chat, presence and calls over AppWebsocket, REST + SSE and STOMP/SockJS.')
    .version(context.version)
    .showHelpAfterError();
  const config = (): Config => loadConfig({ env: context.env });

  program
    .command('serve')
    .description('run the server; without settings, the demo world')
    .option('--watch', 'start again when a source file changes')
    .action(async () => {
      const settings = config();
      await context.buildWeb((line) => context.console.say(line));
      done(await serve(settings, context, demoAccounts));
    });

  /** Opens the store, runs, closes. */
  const withStore = async (run: (administration: Administration) => Promise<void>): Promise<void> => {
    await using administration = await context.openAdministration(config());
    await run(administration);
  };

  withPassword(program.command('init'))
    .description('make the store, the key and the first administrator')
    .option('--admin <name>', 'name of the administrator', 'admin')
    .action((options: Parameters<typeof accounts.initialize>[1]) =>
      withStore((store) => accounts.initialize(store, options, context.console)),
    );
  addUserCommands(program, context, withStore);
  addAppCommands(program, context, withStore);
  addDeviceCommands(program, context, withStore);
  addSecretsCommands(program, context, { config, withStore });
  addBackupCommands(program, context, config);
  addSimulator(program, context);
  program
    .command('version')
    .description('say the version')
    .action(() => context.console.say(context.version));
  return program;
}

type WithStore = (run: (administration: Administration) => Promise<void>) => Promise<void>;

function addUserCommands(program: Command, { console }: CliContext, withStore: WithStore): void {
  const user = program.command('user').description('people with an account');
  withPassword(user.command('add <name>'))
    .description('add a user')
    .option('--display-name <text>', 'as others see it')
    .option('--number <number>', 'extension')
    .option('--email <address>')
    .option('--admin', 'an administrator')
    .option('--no-storage', 'without the right to stored chat')
    .option('--apps <names>', 'App objects the user may use, separated by commas', names)
    .action((name: string, options: accounts.UserOptions) =>
      withStore((store) => accounts.addUser(store, name, options, console)),
    );
  withPassword(user.command('password <name>'))
    .description('set a new password')
    .action((name: string, options: accounts.UserOptions) =>
      withStore((store) => accounts.setPassword(store, name, options, console)),
    );
  user
    .command('list')
    .description('list all users')
    .option('--json')
    .action((options: accounts.ListOptions) => withStore((store) => accounts.listUsers(store, options, console)));
}

function addAppCommands(program: Command, { console }: CliContext, withStore: WithStore): void {
  const app = program.command('app').description("App objects: programs' identities");
  withPassword(app.command('add <name>'))
    .description('add an App object')
    .option('--display-name <text>')
    .option('--grant <apis>', 'APIs it may use, separated by commas', names)
    .option('--url <url>', 'where its pages and its WebSocket are')
    .option('--websocket', 'open a connection to its address')
    .option('--sees <names>', 'App objects it may see, separated by commas', names)
    .option('--all-users', 'it acts for every user, not only for those whose list names it')
    .action((name: string, options: accounts.AppOptions) =>
      withStore((store) => accounts.addApp(store, name, options, console)),
    );
  app
    .command('list')
    .description('list all App objects')
    .option('--json')
    .action((options: accounts.ListOptions) => withStore((store) => accounts.listApps(store, options, console)));
}

function addDeviceCommands(program: Command, { console }: CliContext, withStore: WithStore): void {
  const device = program.command('device').description('what can ring or chat for a user');
  withPassword(device.command('add <id>'))
    .description('add a device; the id is its digest user')
    .requiredOption('--user <name>', 'whose it is')
    .option('--kind <kind>', 'sip, chat or phone', 'sip')
    .option('--label <text>')
    .action((id: string, options: accounts.DeviceOptions) =>
      withStore((store) => accounts.addDevice(store, id, options, console)),
    );
  device
    .command('list')
    .description('list devices')
    .option('--user <name>', 'of one user')
    .option('--json')
    .action((options: Parameters<typeof accounts.listDevices>[1]) =>
      withStore((store) => accounts.listDevices(store, options, console)),
    );
}

function addSecretsCommands(
  program: Command,
  { console }: CliContext,
  { config, withStore }: { readonly config: () => Config; readonly withStore: WithStore },
): void {
  const group = program
    .command('secrets')
    .description('what is sealed: secrets of App objects, devices and digest logins');
  group
    .command('list')
    .description('say how many secrets are sealed under which key')
    .action(() => withStore((store) => secrets.listSecrets(store, console)));
  group
    .command('rotate')
    .description('seal everything under the first of secretKey, or under a new key in the key file')
    .action(() => withStore((store) => secrets.rotateSecrets(store, config(), console)));
}

function addBackupCommands(program: Command, { console }: CliContext, config: () => Config): void {
  program
    .command('backup <target>')
    .description('copy the SQLite database to a new file, or into a folder; the server may run')
    .action(async (target: string) => {
      const { backUp } = await import('./backup.ts');
      await backUp(config(), target, console);
    });
  program
    .command('restore [file]')
    .description(
      'put a backup into the place of the SQLite database, which is kept beside it; the server must be stopped',
    )
    .option(
      '--new-epoch',
      'without a file: the store was put back by other means, e.g. pg_restore; let clients load anew',
    )
    .action(
      async (file: string | undefined, { newEpoch = false }: { readonly newEpoch?: boolean }, command: Command) => {
        const { renewEpoch, restore } = await import('./backup.ts');
        if (file !== undefined && !newEpoch) await restore(config(), file, console);
        else if (file === undefined && newEpoch) await renewEpoch(config(), console);
        else command.error('error: give either a file or --new-epoch');
      },
    );
}

function addSimulator(program: Command, context: CliContext): void {
  program
    .command('tapi-server-sim')
    .description('run a TapiServer without a telephone system')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'port; 0 picks a free one', portNumber, 44_444)
    .addOption(new Option('--framing <kind>').choices(['len32le', 'line']).default('len32le'))
    .option('--multi', 'serve several clients at once')
    .option('--keep', 'registrations outlive their client')
    .option('--answer', 'a CALL to a registered number rings there')
    .option('--replies', 'answer OK and ERROR')
    .option('--hello', 'greet with the extended profile')
    .addOption(new Option('--script <name>', 'calls by itself').choices(['demo']))
    .option('--control <port>', 'HTTP control on this port of 127.0.0.1; 0 picks a free one', portNumber)
    .action((options: SimulateOptions) => simulate(options, context));
}

function withPassword(command: Command): Command {
  return command
    .option('--password-stdin', 'take the password from the first line of standard input')
    .option('--generate', 'make a password and show it once');
}

function names(text: string): readonly string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

function portNumber(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new InvalidArgumentError('Expected 0 to 65535.');
  return port;
}
