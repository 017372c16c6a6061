import { createHash } from 'node:crypto';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { appLoginDigest } from '@tieline/appwebsocket';
import { Subject } from './appwebsocket/process.ts';
import { FrameCounter, maskedFrame, plainFrame, RawSocket } from './appwebsocket/raw-socket.ts';
import { PASSWORD } from './appwebsocket/password.ts';

/** One figure. `ratio` to the bare WebSocket measured in the same run must not be under `floor`. */
export interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly ratio: number;
  readonly floor: number;
}

const MESSAGE_FLOOR = 0.85;
const LOGIN_FLOOR = 0.8;
/** Rounds of each, taking turns; the middle one counts. The first of each warms up. */
const ROUNDS = 5;

interface Sample {
  readonly count: number;
  readonly cpuSeconds: number;
  readonly agentShare: number;
}

/** Runs work and tells the processor time that the subject, and the load agent (this process), spent on it. */
async function measure(subject: Subject, count: number, work: () => Promise<void>): Promise<Sample> {
  const before = await subject.cpuSeconds();
  const agentBefore = process.cpuUsage();
  const startMs = performance.now();
  await work();
  const elapsedMs = performance.now() - startMs;
  const agent = process.cpuUsage(agentBefore);
  const cpuSeconds = (await subject.cpuSeconds()) - before;
  return { count, cpuSeconds, agentShare: (agent.user + agent.system) / 1000 / elapsedMs };
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;

interface Comparison {
  readonly name: string;
  readonly unit: string;
  readonly floor: number;
  readonly bare: () => Promise<Sample>;
  readonly library: () => Promise<Sample>;
}

/** Both take turns, so that what else the machine does hits both. */
async function compare({ name, unit, floor, bare, library }: Comparison): Promise<Row> {
  const rates: number[] = [];
  const ratios: number[] = [];
  let agentShare = 0;
  for (let round = 0; round <= ROUNDS; round++) {
    const a = await bare();
    const b = await library();
    if (round === 0) continue;
    const rate = b.count / b.cpuSeconds;
    rates.push(rate);
    ratios.push(rate / (a.count / a.cpuSeconds));
    agentShare = Math.max(agentShare, a.agentShare, b.agentShare);
  }
  const ratio = median(ratios);
  console.log(
    `${name}: ratio ${ratio.toFixed(2)} (${ratios.map((r) => r.toFixed(2)).join(' ')}), load agent at ${Math.round(agentShare * 100)} % of a core`,
  );
  return { name, value: Math.round(median(rates)), unit, ratio: Number(ratio.toFixed(3)), floor };
}

const CONNECTIONS = 16;
const request = (n: number): string => JSON.stringify({ api: 'com.acme.bench', mt: 'Echo', src: String(n), n });

async function login(socket: RawSocket): Promise<void> {
  await socket.exchange(CHALLENGE, 1);
  const { challenge } = JSON.parse(socket.lastText) as { challenge: string };
  await socket.exchange(maskedFrame(loginText(challenge)), 1);
  if (!socket.lastText.includes('"ok":true')) throw new Error(socket.lastText);
}

const CHALLENGE = maskedFrame('{"mt":"AppChallenge"}');
const USER = { app: 'bench', domain: 'example.com', sip: 'alice', guid: '0'.repeat(32), dn: 'Alice Adams' };
const INFO = '{"appobj":"bench","appdn":"Bench","appurl":"https://h/bench","pbx":"master","cn":"Alice","apps":[]}';
const loginText = (challenge: string): string =>
  `{"mt":"AppLogin","app":"bench","domain":"example.com","sip":"alice","guid":"${USER.guid}","dn":"Alice Adams","pbxObj":"bench","info":${INFO},"digest":"${appLoginDigest({ ...USER, info: INFO }, challenge, PASSWORD)}"}`;

/** Requests and answers through a server; the load writes frames made beforehand. */
async function acceptorRow(bare: Subject, library: Subject, ports: Ports, burst: number): Promise<Row> {
  const frames = Buffer.concat(Array.from({ length: burst }, (_, n) => maskedFrame(request(n))));
  const rounds = Math.ceil((burst === 1 ? 8_000 : 40_000) / burst / CONNECTIONS);
  const open = async (port: number): Promise<readonly RawSocket[]> =>
    Promise.all(Array.from({ length: CONNECTIONS }, () => new RawSocket(port, true).open()));
  const [bareSockets, ourSockets] = [await open(ports.bare), await open(ports.library)];
  for (const socket of ourSockets) await login(socket);
  const run = (sockets: readonly RawSocket[]) => async (): Promise<void> => {
    await Promise.all(
      sockets.map(async (socket) => {
        for (let i = 0; i < rounds; i++) await socket.exchange(frames, burst);
      }),
    );
  };
  const count = rounds * burst * CONNECTIONS;
  const row = await compare({
    name: `requests through the acceptor, ${burst === 1 ? 'one at a time' : `${burst} at a time`}`,
    unit: 'a second of one core',
    floor: MESSAGE_FLOOR,
    bare: () => measure(bare, count, run(bareSockets)),
    library: () => measure(library, count, run(ourSockets)),
  });
  for (const socket of [...bareSockets, ...ourSockets]) socket.close();
  return row;
}

interface Ports {
  readonly bare: number;
  readonly library: number;
}

async function loginRow(bare: Subject, library: Subject, ports: Ports): Promise<Row> {
  const count = 600;
  const run = (port: number, talk: (socket: RawSocket) => Promise<void>) => async (): Promise<void> => {
    let left = count;
    const worker = async (): Promise<void> => {
      while (left-- > 0) {
        const socket = await new RawSocket(port, true).open();
        await talk(socket);
        socket.close();
      }
    };
    await Promise.all(Array.from({ length: 8 }, worker));
  };
  const echo = maskedFrame(request(1));
  const echoTwice = async (socket: RawSocket): Promise<void> => {
    await socket.exchange(echo, 1);
    // The load computes a digest here too, so that it is as busy as with the other.
    await socket.exchange(maskedFrame(loginText(socket.lastText)), 1);
  };
  return compare({
    name: 'logins, against connects with two echo round trips',
    unit: 'a second of one core',
    floor: LOGIN_FLOOR,
    bare: () => measure(bare, count, run(ports.bare, echoTwice)),
    library: () => measure(library, count, run(ports.library, login)),
  });
}

/** Answers every frame with one made beforehand; takes any login. */
async function startRawServer(): Promise<Server> {
  const answer = plainFrame(JSON.stringify({ api: 'com.acme.bench', mt: 'EchoResult', src: '1', n: 1 }));
  const server = createServer();
  server.on('upgrade', (req, socket) => {
    const key = `${String(req.headers['sec-websocket-key'])}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    const accept = createHash('sha1').update(key).digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    const counter = new FrameCounter();
    let step = req.url === '/login' ? 0 : 2;
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      const found = counter.take(chunk);
      if (step < 2) {
        const text = ['{"mt":"AppChallengeResult","challenge":"1"}', '{"mt":"AppLoginResult","ok":true}'][step++] ?? '';
        socket.write(plainFrame(text));
      } else if (found > 0) socket.write(Buffer.concat(Array.from({ length: found }, () => answer)));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** Requests and answers through a client, against a server that answers with bytes made beforehand. */
async function clientRow(server: Server, burst: number): Promise<Row> {
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const args = [String(CONNECTIONS), String(burst)];
  await using bare = new Subject('bare-client', url, ...args);
  await bare.told('isOpen');
  await using library = new Subject('library-client', `${url}/login`, ...args);
  await library.told('isOpen');
  const messages = burst === 1 ? 8_000 : 40_000;
  const run = (subject: Subject) => async (): Promise<void> => {
    const done = subject.told('isDone');
    subject.order({ order: 'drive', messages });
    await done;
  };
  return await compare({
    name: `requests through the client, ${burst === 1 ? 'one at a time' : `${burst} at a time`}`,
    unit: 'a second of one core',
    floor: MESSAGE_FLOOR,
    bare: () => measure(bare, messages, run(bare)),
    library: () => measure(library, messages, run(library)),
  });
}

/** All rows; under half a minute. */
export async function run(): Promise<readonly Row[]> {
  const rows: Row[] = [];
  await using bare = new Subject('bare-server');
  const barePort = await bare.told<number>('port');
  await using library = new Subject('library-server');
  const ports = { bare: barePort, library: await library.told<number>('port') };
  for (const burst of [1, 32]) rows.push(await acceptorRow(bare, library, ports, burst));
  rows.push(await loginRow(bare, library, ports));
  const server = await startRawServer();
  for (const burst of [1, 32]) rows.push(await clientRow(server, burst));
  server.closeAllConnections();
  server.close();
  return rows;
}

if (process.argv[1] === import.meta.filename) {
  const rows = await run();
  console.table(rows);
  process.exitCode = rows.every(({ ratio, floor }) => ratio >= floor) ? 0 : 1;
}
