import { createServer, type Server, type Socket } from 'node:net';
import { encodeFrame, FrameReader, type Framing } from '../../adapters/engine-tapi/index.ts';
import { stepNumbers, type Heard } from './numbers.ts';

/**
 * Lines of the log that are kept: a simulator may run for days.
 * @peer the oldest lines go
 * @test simulator: the log is bounded
 */
export const MAX_LOG = 10_000;
/** Callers of `--script demo`, in turn (TM §5.7). */
const DEMO_CALLERS = ['0606413737', '444555666', '123654789'] as const;
const DEMO_MS = 10_000;

export interface SimulatorOptions {
  readonly host?: string;
  /** 0 picks a free one. */
  readonly port?: number;
  readonly framing?: Framing;
  /** More than one client at once. */
  readonly multi?: boolean;
  /** Registrations outlive their client. */
  readonly keep?: boolean;
  /** A CALL to a registered number rings there. */
  readonly answer?: boolean;
  /** Answers `OK` and `ERROR`. */
  readonly replies?: boolean;
  /** Greets with the extended profile (TM §5.5). */
  readonly hello?: boolean;
  readonly script?: 'demo' | null;
}

export interface LogLine {
  readonly t: number;
  readonly dir: 'in' | 'out';
  readonly payload: string;
}

export interface SimulatorState {
  readonly connected: boolean;
  /** Connections accepted so far. */
  readonly connections: number;
  readonly registered: readonly string[];
  readonly log: readonly LogLine[];
  readonly violations: readonly string[];
}

/** The reference TapiServer of TM §5.7: for tests, and for people without a telephone system. */
export class TapiServerSimulator implements AsyncDisposable {
  readonly #options: SimulatorOptions;
  readonly #sockets = new Set<Socket>();
  readonly #registered = new Set<string>();
  readonly #demo = new Map<string, { timer: NodeJS.Timeout; turn: number }>();
  #log: LogLine[] = [];
  #violations: string[] = [];
  #connections = 0;
  #chunk = 0;
  #port: number;
  #server: Server | null = null;

  constructor(options: SimulatorOptions = {}) {
    this.#options = options;
    this.#port = options.port ?? 0;
  }

  /** The port, also while it is closed: it opens again on the same one. */
  get port(): number {
    return this.#port;
  }

  get state(): SimulatorState {
    return {
      connected: this.#sockets.size > 0,
      connections: this.#connections,
      registered: [...this.#registered],
      log: [...this.#log],
      violations: [...this.#violations],
    };
  }

  /** Opens the port. @throws what the operating system says */
  async open(): Promise<void> {
    if (this.#server !== null) return;
    const server = createServer((socket) => this.#accept(socket));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, this.#options.host ?? '127.0.0.1', resolve);
    });
    const address = server.address();
    if (typeof address === 'object' && address !== null) this.#port = address.port;
    this.#server = server;
  }

  /** Closes the port; standing connections end too. */
  async shut(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    this.drop('fin');
    for (const socket of this.#sockets) socket.destroy();
    if (server !== null) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  async close(): Promise<void> {
    await this.shut();
    for (const number of [...this.#demo.keys()]) this.#stopDemo(number);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** A call comes in. False: `to` is not registered, or nobody is connected. */
  ring(from: string, to: string, force = false): boolean {
    if (this.#sockets.size === 0 || (!force && !this.#registered.has(to))) return false;
    this.say(`NEWCALL,${from},${to}`);
    return true;
  }

  /** Writes any payload to every client. */
  say(payload: string): void {
    this.#note('out', payload);
    const frame = encodeFrame(payload, this.#framing);
    for (const socket of this.#sockets) this.#write(socket, frame);
  }

  raw(bytes: Buffer): void {
    for (const socket of this.#sockets) this.#write(socket, bytes);
  }

  drop(how: 'fin' | 'rst'): void {
    for (const socket of this.#sockets) {
      if (how === 'rst') socket.resetAndDestroy();
      else socket.end();
    }
  }

  /** Every write goes out in pieces of `size` octets; 0 = whole. */
  chunk(size: number): void {
    this.#chunk = size;
  }

  /** Forgets registrations, log and violations. */
  reset(): void {
    for (const number of [...this.#registered]) this.#unregister(number);
    this.#log = [];
    this.#violations = [];
    this.#connections = this.#sockets.size;
    this.#chunk = 0;
  }

  get #framing(): Framing {
    return this.#options.framing ?? 'len32le';
  }

  #accept(socket: Socket): void {
    socket.on('error', () => socket.destroy());
    if (this.#sockets.size > 0 && this.#options.multi !== true) {
      socket.destroy();
      return;
    }
    this.#connections++;
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    const reader = new FrameReader(this.#framing);
    socket.on('data', (chunk) => {
      const { payloads, violation } = reader.push(chunk);
      for (const payload of payloads) this.#hear(socket, payload);
      if (violation !== null) this.#violate(violation);
    });
    socket.on('close', () => this.#gone(socket));
    if (this.#options.hello === true) this.#answer(socket, 'HELLO,2,tapi-server-sim');
  }

  #gone(socket: Socket): void {
    this.#sockets.delete(socket);
    if (this.#sockets.size > 0 || this.#options.keep === true) return;
    for (const number of [...this.#registered]) this.#unregister(number);
  }

  #hear(socket: Socket, payload: string): void {
    this.#note('in', payload);
    const heard = stepNumbers(this.#registered, payload);
    if (heard.violation !== null) this.#violate(heard.violation);
    this.#act(socket, heard);
    if (this.#options.replies === true && heard.kind !== 'ping') this.#answer(socket, heard.reply);
  }

  #act(socket: Socket, heard: Heard): void {
    if (heard.kind === 'listen') this.#register(heard.number);
    if (heard.kind === 'stop') this.#unregister(heard.number);
    if (heard.kind === 'ping' && this.#options.hello === true) this.#answer(socket, `PONG,${heard.token}`);
    if (heard.kind === 'call' && this.#options.answer === true) this.ring(heard.from, heard.to);
  }

  #register(number: string): void {
    this.#registered.add(number);
    if (this.#options.script !== 'demo' || this.#demo.has(number)) return;
    const entry = { timer: setInterval(() => this.#demoCall(number), DEMO_MS), turn: 0 };
    this.#demo.set(number, entry);
  }

  #unregister(number: string): void {
    this.#registered.delete(number);
    this.#stopDemo(number);
  }

  #stopDemo(number: string): void {
    clearInterval(this.#demo.get(number)?.timer);
    this.#demo.delete(number);
  }

  #demoCall(number: string): void {
    const entry = this.#demo.get(number);
    if (entry !== undefined) this.ring(DEMO_CALLERS[entry.turn++ % DEMO_CALLERS.length] ?? '', number);
  }

  #answer(socket: Socket, payload: string): void {
    this.#note('out', payload);
    this.#write(socket, encodeFrame(payload, this.#framing));
  }

  #write(socket: Socket, bytes: Buffer): void {
    const size = this.#chunk === 0 ? bytes.length : this.#chunk;
    for (let at = 0; at < bytes.length; at += size) socket.write(bytes.subarray(at, at + size));
  }

  #violate(what: string): void {
    if (this.#violations.length < MAX_LOG) this.#violations.push(what);
  }

  #note(dir: LogLine['dir'], payload: string): void {
    if (this.#log.length >= MAX_LOG) this.#log.shift();
    this.#log.push({ t: Date.now(), dir, payload });
  }
}
