import { readdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { findProgram } from '../../../../test/kit/peer.ts';
import { until } from '../../../../test/kit/wait.ts';
import type { Endpoint, TlsIdentity } from '../../src/index.ts';
import { freePorts, scratchFolder, startProcess } from './process.ts';

export interface PhoneOptions {
  /** User part of its address, digest user, and folder. */
  readonly name: string;
  readonly password: string;
  readonly server: Endpoint;
  readonly transport: 'udp' | 'tcp' | 'tls';
  /** The tone that it sends instead of speech. */
  readonly toneHz?: number;
  /** `auto` answers at once (without a CALL_INCOMING event); `manual` waits for `accept`. Default `auto`. */
  readonly answerMode?: 'auto' | 'manual';
  readonly registerEverySeconds?: number;
  /** For `tls`: the certificate that it trusts, and its own. */
  readonly tls?: TlsIdentity;
}

export interface PhoneEvent {
  readonly type: string;
  readonly param?: string;
  readonly peeruri?: string;
  readonly id?: string;
  readonly direction?: string;
}

/** A running phone. */
export interface Phone {
  readonly aor: string;
  readonly sip: Endpoint;
  readonly events: readonly PhoneEvent[];
  /** A command of baresip's menu: `dial`, `accept`, `hangup`, `hold`, `resume`, `sndcode`, `transfer`, `reginfo` … */
  command(name: string, params?: string): Promise<string>;
  /** Waits for the outcome of its registration. (Its event may come before anybody listens.) */
  registered(): Promise<'OK' | 'ERR'>;
  /** The next event of this type after the first `from`. */
  event(type: string, from?: number): Promise<PhoneEvent>;
  /** The sound that it heard, as WAV files. */
  heard(): string[];
  output(): string;
  stop(): Promise<void>;
}

/** Starts a baresip phone on loopback without a sound card (a tone for a microphone), which registers at `server`. */
export async function startPhone(options: PhoneOptions): Promise<Phone> {
  const program = findProgram('baresip');
  if (program === undefined) throw new Error('baresip is not installed');
  const folder = scratchFolder(`phone-${options.name}`);
  // TLS listens on the next port.
  const sipPort = await freePorts(2);
  const controlPort = await freePorts(1);
  const rtpPort = await freePorts(20);
  writeFiles(folder.path, options, { sipPort, controlPort, rtpPort });
  const process = startProcess(program, ['-4', '-f', folder.path]);
  const events: PhoneEvent[] = [];
  const control = await openControl(controlPort, events, () => process.output());
  return {
    aor: `sip:${options.name}@${options.server.address}`,
    sip: { address: '127.0.0.1', port: sipPort },
    events,
    command: (name, params) => control.command(name, params),
    registered: () =>
      until(
        async () => {
          const info = await control.command('reginfo');
          return /(OK|ERR)/.exec(info)?.[1] as 'OK' | 'ERR' | undefined;
        },
        `${options.name} to register`,
        15_000,
      ),
    event: (type, from = 0) =>
      until(() => events.slice(from).find((event) => event.type === type), `${options.name}: ${type}`, 15_000),
    heard: () =>
      readdirSync(folder.path)
        .filter((name) => name.endsWith('-dec.wav'))
        .map((name) => join(folder.path, name)),
    output: () => process.output(),
    async stop() {
      control.socket.destroy();
      await process.stop();
      folder.remove();
    },
  };
}

interface Ports {
  readonly sipPort: number;
  readonly controlPort: number;
  readonly rtpPort: number;
}

function writeFiles(folder: string, options: PhoneOptions, ports: Ports): void {
  const { name, password, server, transport, tls } = options;
  const file = (of: string, text: string): void => writeFileSync(join(folder, of), text);
  const modules = ['g711', 'ausine', 'aufile', 'aubridge', 'sndfile', 'uuid', 'account', 'menu', 'ctrl_tcp'];
  const security =
    tls === undefined
      ? ['sip_verify_server no']
      : ['sip_verify_server yes', `sip_cafile ${join(folder, 'ca.pem')}`, `sip_certificate ${join(folder, 'own.pem')}`];
  file(
    'config',
    [
      'poll_method epoll',
      `sip_listen 127.0.0.1:${ports.sipPort}`,
      ...security,
      'call_local_timeout 120',
      'call_max_calls 4',
      'audio_path /usr/share/baresip',
      `audio_source ausine,${options.toneHz ?? 440}`,
      'audio_player aubridge,nil',
      'audio_alert aubridge,nil',
      'ausrc_srate 48000',
      'auplay_srate 48000',
      'ausrc_channels 2',
      'auplay_channels 2',
      'audio_buffer 20-160',
      `rtp_ports ${ports.rtpPort}-${ports.rtpPort + 19}`,
      'rtcp_mux no',
      'rtp_timeout 60',
      'net_interface 127.0.0.1',
      'module_path /usr/lib/baresip/modules',
      ...modules.map((module) => `module ${module}.so`),
      `snd_path ${folder}`,
      `ctrl_tcp_listen 127.0.0.1:${ports.controlPort}`,
      '',
    ].join('\n'),
  );
  const { address, port } = server;
  const settings = [
    `auth_user=${name}`,
    `auth_pass=${password}`,
    `outbound="sip:${address}:${port};transport=${transport}"`,
    `regint=${options.registerEverySeconds ?? 60}`,
    `answermode=${options.answerMode ?? 'auto'}`,
    'audio_codecs=PCMA',
  ];
  file('accounts', `<sip:${name}@${address}:${port};transport=${transport}>;${settings.join(';')}\n`);
  file('contacts', '');
  file('uuid', '');
  if (tls === undefined) return;
  file('ca.pem', String(tls.cert));
  file('own.pem', `${String(tls.key)}\n${String(tls.cert)}`);
}

interface Control {
  readonly socket: Socket;
  command(name: string, params?: string): Promise<string>;
}

/** JSON in netstrings. */
async function openControl(port: number, events: PhoneEvent[], output: () => string): Promise<Control> {
  const answers = new Map<string, string>();
  let held = Buffer.alloc(0);
  let count = 0;
  const socket = await until(() => tryConnect(port), 'the phone to listen').catch((error: unknown) => {
    throw new Error(`${String(error)}\n${output()}`);
  });
  socket.on('data', (chunk: Buffer) => {
    held = Buffer.concat([held, chunk]);
    for (let colon = held.indexOf(':'); colon > 0; colon = held.indexOf(':')) {
      const end = colon + 1 + Number(held.toString('latin1', 0, colon));
      if (held.length <= end) return;
      const message = JSON.parse(held.toString('utf8', colon + 1, end)) as PhoneEvent & {
        token?: string;
        data?: string;
        event?: boolean;
      };
      held = held.subarray(end + 1);
      if (message.event === true) events.push(message);
      else answers.set(message.token ?? '', message.data ?? '');
    }
  });
  socket.on('error', () => undefined);
  return {
    socket,
    command(command, params) {
      const token = `t${(count += 1)}`;
      const text = JSON.stringify({ command, ...(params === undefined ? {} : { params }), token });
      socket.write(`${Buffer.byteLength(text)}:${text},`);
      return until(() => answers.get(token), `the answer to ${command}`);
    },
  };
}

function tryConnect(port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port }, () => resolve(socket));
    socket.once('error', () => resolve(undefined));
  });
}
