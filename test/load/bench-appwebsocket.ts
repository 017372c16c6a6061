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
/** All together count, after one more that warms up. */
const ROUNDS = 5;

/** One process under test, or several that do the work together. */
type Measured = Pick<Subject, 'cpuSeconds'>;

interface Subjects {
  readonly bare: Measured;
  readonly library: Measured;
}

interface Comparison extends Subjects {
  readonly name: string;
  readonly floor: number;
  /** How many of the thing each of the two does in one round of work. */
  readonly count: number;
  readonly work: () => Promise<unknown>;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/**
 * Both do the same work at the same time under the same load, so that whatever else the machine does hits both; what
 * is compared is the processor time each of the two processes spent, all its threads together.
 */
async function compare({ name, floor, count, work, bare, library }: Comparison): Promise<Row> {
  const bareSeconds: number[] = [];
  const ourSeconds: number[] = [];
  let agentShare = 0;
  for (let round = 0; round <= ROUNDS; round++) {
    const before = [await bare.cpuSeconds(), await library.cpuSeconds()] as const;
    const agentBefore = process.cpuUsage();
    const startMs = performance.now();
    await work();
    const { user, system } = process.cpuUsage(agentBefore);
    const share = (user + system) / 1000 / (performance.now() - startMs);
    const after = [await bare.cpuSeconds(), await library.cpuSeconds()] as const;
    if (round === 0) continue;
    bareSeconds.push(after[0] - before[0]);
    ourSeconds.push(after[1] - before[1]);
    agentShare = Math.max(agentShare, share);
  }
  const ratio = sum(bareSeconds) / sum(ourSeconds);
  const each = bareSeconds.map((seconds, round) => (seconds / (ourSeconds[round] as number)).toFixed(2)).join(' ');
  console.log(
    `${name}: ratio ${ratio.toFixed(2)} (${each}), load agent at ${Math.round(agentShare * 100)} % of a core`,
  );
  const value = Math.round((count * ROUNDS) / sum(ourSeconds));
  return { name, value, unit: 'a second of one core', ratio: Number(ratio.toFixed(3)), floor };
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

const how = (burst: number): string => (burst === 1 ? 'one at a time' : `${burst} at a time`);

/** Requests and answers through a server; the load writes frames made beforehand. */
async function acceptorRow(subjects: Subjects, ports: Ports, burst: number): Promise<Row> {
  const frames = Buffer.concat(Array.from({ length: burst }, (_, n) => maskedFrame(request(n))));
  const rounds = Math.ceil((burst === 1 ? 16_000 : 40_000) / burst / CONNECTIONS);
  const open = async (port: number): Promise<readonly RawSocket[]> =>
    Promise.all(Array.from({ length: CONNECTIONS }, () => new RawSocket(port, true).open()));
  const [bareSockets, ourSockets] = [await open(ports.bare), await open(ports.library)];
  for (const socket of ourSockets) await login(socket);
  const sockets = [...bareSockets, ...ourSockets];
  const talk = async (socket: RawSocket): Promise<void> => {
    for (let i = 0; i < rounds; i++) await socket.exchange(frames, burst);
  };
  const row = await compare({
    ...subjects,
    name: `requests through the acceptor, ${how(burst)}`,
    floor: MESSAGE_FLOOR,
    count: rounds * burst * CONNECTIONS,
    work: () => Promise.all(sockets.map(talk)),
  });
  for (const socket of sockets) socket.close();
  return row;
}

interface Ports {
  readonly bare: number;
  readonly library: number;
}

function loginRow(subjects: Subjects, ports: Ports): Promise<Row> {
  const count = 1_000;
  const echo = maskedFrame(request(1));
  const connect = async (port: number, talk: (socket: RawSocket) => Promise<void>): Promise<void> => {
    const socket = await new RawSocket(port, true).open();
    await talk(socket);
    socket.close();
  };
  const echoTwice = async (socket: RawSocket): Promise<void> => {
    await socket.exchange(echo, 1);
    // The load computes a digest here too, so that it is as busy as with the other.
    await socket.exchange(maskedFrame(loginText(socket.lastText)), 1);
  };
  const work = async (): Promise<void> => {
    let left = count;
    const worker = async (): Promise<void> => {
      while (left-- > 0) {
        await connect(ports.bare, echoTwice);
        await connect(ports.library, login);
      }
    };
    await Promise.all(Array.from({ length: 16 }, worker));
  };
  const name = 'logins, against connects with two echo round trips';
  return compare({ ...subjects, name, floor: LOGIN_FLOOR, count, work });
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
  await using bare = await openClient('bare-client', url, burst);
  await using library = await openClient('library-client', `${url}/login`, burst);
  const count = burst === 1 ? 16_000 : 40_000;
  return await compare({
    bare,
    library,
    name: `requests through the client, ${how(burst)}`,
    floor: MESSAGE_FLOOR,
    count,
    work: () => Promise.all([drive(bare, count), drive(library, count)]),
  });
}

async function openClient(role: string, url: string, burst: number): Promise<Subject> {
  const client = new Subject(role, url, String(CONNECTIONS), String(burst));
  await client.told('isOpen');
  return client;
}

async function drive(client: Subject, messages: number): Promise<void> {
  const done = client.told('isDone');
  client.order({ order: 'drive', messages });
  await done;
}

const together = (...subjects: readonly Subject[]): Measured => ({
  cpuSeconds: async () => sum(await Promise.all(subjects.map((subject) => subject.cpuSeconds()))),
});

/** Our client talks to our acceptor, `ws` to `ws` with `JSON.parse` on both sides; nothing made beforehand is between. */
async function bothEndsRow(
  servers: { readonly bare: Subject; readonly library: Subject },
  ports: Ports,
  burst: number,
): Promise<Row> {
  const url = (port: number): string => `ws://127.0.0.1:${port}/`;
  await using bare = await openClient('bare-client', url(ports.bare), burst);
  await using library = await openClient('library-client', url(ports.library), burst);
  const count = burst === 1 ? 16_000 : 40_000;
  return await compare({
    bare: together(servers.bare, bare),
    library: together(servers.library, library),
    name: `requests through client and acceptor, ${how(burst)}`,
    floor: MESSAGE_FLOOR,
    count,
    work: () => Promise.all([drive(bare, count), drive(library, count)]),
  });
}

/** All rows; half a minute where the machine is free. */
export async function run(): Promise<readonly Row[]> {
  const rows: Row[] = [];
  await using bare = new Subject('bare-server');
  const barePort = await bare.told<number>('port');
  await using library = new Subject('library-server');
  const ports = { bare: barePort, library: await library.told<number>('port') };
  const subjects = { bare, library };
  for (const burst of [1, 32]) rows.push(await bothEndsRow(subjects, ports, burst));
  for (const burst of [1, 32]) rows.push(await acceptorRow(subjects, ports, burst));
  rows.push(await loginRow(subjects, ports));
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
