import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { findProgram } from '../../../../test/kit/peer.ts';
import { until } from '../../../../test/kit/wait.ts';
import type { Endpoint } from '../../src/index.ts';
import { freePorts, scratchFolder, startProcess } from './process.ts';

export interface KamailioOptions {
  /** Who registers must know this password (any user name). Missing: no digest. */
  readonly password?: string;
  /** A further loopback address, so that it is another host than ours. */
  readonly address?: string;
  /** Processes for each socket; with more than one it may reorder messages. Default 2. */
  readonly workers?: number;
  /** Before the program: `taskset -c 0`. */
  readonly prefix?: readonly string[];
  /** Lines before the lookup of an INVITE's callee: `rewritehostport("…");` and the like. */
  readonly route?: string;
}

export interface Kamailio {
  readonly pid: number;
  readonly local: Endpoint;
  output(): string;
  stop(): Promise<void>;
}

const MODULES = ['sl', 'tm', 'rr', 'pv', 'maxfwd', 'usrloc', 'registrar', 'textops', 'siputils', 'auth'];

/** Starts kamailio as a foreign registrar and proxy, by UDP and TCP. */
export async function startKamailio(options: KamailioOptions = {}): Promise<Kamailio> {
  const program = findProgram('kamailio');
  if (program === undefined) throw new Error('kamailio is not installed');
  const { address = '127.0.0.3', password } = options;
  const folder = scratchFolder('kamailio');
  const port = await freePorts(1, address);
  const check =
    password === undefined
      ? ''
      : `if (!pv_www_authenticate("$td", "${password}", "0")) { www_challenge("$td", "1"); exit; } consume_credentials();`;
  const config = `#!KAMAILIO
fork=yes
children=${options.workers ?? 2}
log_stderror=yes
listen=udp:${address}:${port}
listen=tcp:${address}:${port}
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
${MODULES.map((name) => `loadmodule "${name}.so"`).join('\n')}
request_route {
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
  if (is_method("REGISTER")) { ${check} save("location"); exit; }
  if (has_totag()) { loose_route(); t_relay(); exit; }
  if (is_method("INVITE")) record_route();
  ${options.route ?? ''}
  if (!lookup("location")) { sl_send_reply("404", "Not Found"); exit; }
  t_relay();
}
`;
  const file = join(folder.path, 'k.cfg');
  writeFileSync(file, config);
  const args = ['-DD', '-E', '-f', file, '-Y', folder.path, '-P', join(folder.path, 'k.pid'), '-m', '64', '-M', '8'];
  const { prefix: [first, ...rest] = [] } = options;
  const process = first === undefined ? startProcess(program, args) : startProcess(first, [...rest, program, ...args]);
  await until(() => isListening({ address, port }), 'kamailio to listen').catch((error: unknown) => {
    throw new Error(`${String(error)}\n${process.output()}`);
  });
  return {
    pid: process.child.pid ?? 0,
    local: { address, port },
    output: () => process.output(),
    async stop() {
      // It has to end its own processes: killed at once it would leave them behind.
      process.child.kill('SIGTERM');
      const late = setTimeout(() => process.child.kill('SIGKILL'), 10_000);
      await process.exited;
      clearTimeout(late);
      folder.remove();
    },
  };
}

function isListening(at: Endpoint): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: at.address, port: at.port }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
