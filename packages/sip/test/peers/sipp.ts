import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../../../../test/kit/peer.ts';
import type { Endpoint } from '../../src/index.ts';
import { freePorts, scratchFolder, startProcess } from './process.ts';

export interface SippOptions {
  /** `uac`, `uas` (built in), or the text of a scenario. */
  readonly scenario: string;
  /** Where it calls; not for `uas`. */
  readonly remote?: Endpoint;
  readonly transport?: 'udp' | 'tcp';
  readonly service?: string;
  readonly calls?: number;
  readonly callsPerSecond?: number;
  readonly callMs?: number;
  /** Lines of the CSV file whose fields the scenario uses. */
  readonly fields?: readonly string[];
  readonly more?: readonly string[];
  /** Before the program: `taskset -c 1`. */
  readonly prefix?: readonly string[];
}

export interface Sipp {
  readonly pid: number;
  readonly local: Endpoint;
  /** Resolves with 0 when all calls succeeded. */
  readonly exited: Promise<number | null>;
  output(): string;
  /** The messages that it did not expect. */
  errors(): string;
  stop(): Promise<void>;
}

/** Starts SIPp on loopback. */
export async function startSipp(options: SippOptions): Promise<Sipp> {
  const program = findProgram('sipp');
  if (program === undefined) throw new Error('sipp is not installed');
  const folder = scratchFolder('sipp');
  const port = await freePorts(1);
  const { scenario, remote } = options;
  const args: string[] = remote === undefined ? [] : [`${remote.address}:${remote.port}`];
  if (scenario.startsWith('<')) {
    const file = join(folder.path, 'scenario.xml');
    writeFileSync(file, scenario);
    args.push('-sf', file);
  } else args.push('-sn', scenario);
  if (options.fields !== undefined) {
    const file = join(folder.path, 'fields.csv');
    writeFileSync(file, `SEQUENTIAL\n${options.fields.join('\n')}\n`);
    args.push('-inf', file);
  }
  args.push(
    '-i',
    '127.0.0.1',
    '-p',
    String(port),
    '-t',
    options.transport === 'tcp' ? 't1' : 'u1',
    '-nostdin',
    '-trace_err',
  );
  const numbers: [string, number | undefined][] = [
    ['-m', options.calls],
    ['-r', options.callsPerSecond],
    ['-d', options.callMs],
  ];
  for (const [flag, value] of numbers) if (value !== undefined) args.push(flag, String(value));
  if (options.service !== undefined) args.push('-s', options.service);
  const all = [...args, ...(options.more ?? [])];
  const { prefix: [first, ...rest] = [] } = options;
  const process =
    first === undefined
      ? startProcess(program, all, { cwd: folder.path })
      : startProcess(first, [...rest, program, ...all], { cwd: folder.path });
  return {
    pid: process.child.pid ?? 0,
    local: { address: '127.0.0.1', port },
    exited: process.exited,
    output: () => process.output(),
    errors: () =>
      readdirSync(folder.path)
        .filter((name) => name.endsWith('_errors.log'))
        .map((name) => readFileSync(join(folder.path, name), 'utf8'))
        .join('\n'),
    async stop() {
      await process.stop();
      folder.remove();
    },
  };
}

/** A scenario that registers with digest; fields: name; [authentication …]. */
export const REGISTER_SCENARIO = `<?xml version="1.0" encoding="ISO-8859-1" ?>
<!DOCTYPE scenario SYSTEM "sipp.dtd">
<scenario name="register">
  <send retrans="500"><![CDATA[
REGISTER sip:[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport
Max-Forwards: 70
From: <sip:[field0]@tieline.test>;tag=[pid]t[call_number]
To: <sip:[field0]@tieline.test>
Call-ID: [call_id]
CSeq: 1 REGISTER
Contact: <sip:[field0]@[local_ip]:[local_port];transport=[transport]>
Expires: 300
Content-Length: 0

]]></send>
  <recv response="401" auth="true"></recv>
  <send retrans="500"><![CDATA[
REGISTER sip:[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport
Max-Forwards: 70
From: <sip:[field0]@tieline.test>;tag=[pid]t[call_number]
To: <sip:[field0]@tieline.test>
Call-ID: [call_id]
CSeq: 2 REGISTER
Contact: <sip:[field0]@[local_ip]:[local_port];transport=[transport]>
Expires: 300
[field1]
Content-Length: 0

]]></send>
  <recv response="200"></recv>
</scenario>
`;
