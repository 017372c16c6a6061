import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../../../../test/kit/peer.ts';
import type { Endpoint } from '../../src/index.ts';
import type { Namespace } from './namespace.ts';
import { scratchFolder, startProcess } from './process.ts';

export interface LinphoneOptions {
  readonly namespace: Namespace;
  readonly name: string;
  readonly password: string;
  readonly realm: string;
  readonly server: Endpoint;
  readonly transport?: 'udp' | 'tcp';
}

export interface Linphone {
  /** A line for its prompt: `call sip:…`, `answer`, `terminate`, `register` … */
  write(line: string): void;
  output(): string;
  stop(): Promise<void>;
}

const QUIT_MS = 5_000;

/** Starts linphonec in a network of its own, which registers at `server`. */
export function startLinphone(options: LinphoneOptions): Linphone {
  const program = findProgram('linphonec');
  if (program === undefined) throw new Error('linphonec is not installed');
  const { namespace, name, password, realm, server, transport = 'udp' } = options;
  const folder = scratchFolder(`linphone-${name}`);
  mkdirSync(join(folder.path, '.local/share/linphone'), { recursive: true });
  const file = join(folder.path, 'linphonerc');
  writeFileSync(
    file,
    `[sip]
sip_port=${transport === 'udp' ? 5060 : -1}
sip_tcp_port=${transport === 'tcp' ? 5060 : -1}
sip_tls_port=-1
use_ipv6=0
default_proxy=0
[auth_info_0]
username=${name}
userid=${name}
passwd=${password}
realm=${realm}
[proxy_0]
reg_proxy=<sip:${server.address}:${server.port};transport=${transport}>
reg_identity=sip:${name}@${server.address}
reg_expires=120
reg_sendregister=1
publish=0
`,
  );
  const [first = 'ip', ...rest] = namespace.prefix;
  const process_ = startProcess(first, [...rest, program, '-c', file, '-d', '0'], {
    hasInput: true,
    env: { ...process.env, HOME: folder.path },
  });
  return {
    write: (line) => process_.child.stdin?.write(`${line}\n`),
    output: () => process_.output(),
    async stop() {
      // It takes its registration back before it goes.
      if (process_.child.exitCode === null) process_.child.stdin?.end('quit\n');
      const late = setTimeout(() => void process_.stop(), QUIT_MS);
      await process_.exited;
      clearTimeout(late);
      folder.remove();
    },
  };
}
