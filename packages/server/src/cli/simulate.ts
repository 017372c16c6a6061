import type { CliContext } from './context.ts';
import { openControl, TapiServerSimulator } from './tapi-server-sim/index.ts';

/** Options as the command line has them (TM §5.7). */
export interface SimulateOptions {
  readonly host: string;
  readonly port: number;
  readonly framing: 'len32le' | 'line';
  readonly multi?: boolean;
  readonly keep?: boolean;
  readonly answer?: boolean;
  readonly replies?: boolean;
  readonly hello?: boolean;
  readonly script?: 'demo';
  readonly control?: number;
}

/** Runs the reference TapiServer until a signal says stop. */
export async function simulate(options: SimulateOptions, { console, onSignal }: CliContext): Promise<void> {
  const { promise: stopped, resolve: stop } = Promise.withResolvers<string>();
  const unhear = onSignal(stop);
  const { control, ...simulated } = options;
  try {
    await using simulator = new TapiServerSimulator(simulated);
    await simulator.open();
    console.say(`TapiServer simulator listens on ${options.host}:${simulator.port}`);
    if (control === undefined) {
      await stopped;
      return;
    }
    const server = await openControl(simulator, control);
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : control;
    console.say(`Control on http://127.0.0.1:${port}: POST /ring, /drop, /raw, /listen, /chunk, /reset; GET /state`);
    await stopped;
    server.closeAllConnections();
    server.close();
  } finally {
    unhear();
  }
}
