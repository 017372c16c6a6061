import type { Clock } from '../src/clock/index.ts';
import { parseMessage, SyntaxFailure, type SipMessage, type SipRequest } from '../src/messages/index.ts';
import {
  TransportFailure,
  type Endpoint,
  type Flow,
  type FlowFinder,
  type Protocol,
  type Target,
  type Transport,
} from '../src/transport/port.ts';

export interface Faults {
  /** Share of datagrams lost, sent twice, or held back so that others overtake them. */
  readonly drop?: number;
  readonly duplicate?: number;
  readonly reorder?: number;
  readonly random?: () => number;
}

/** One datagram as it was sent. */
export interface Sent {
  readonly atMs: number;
  readonly from: string;
  readonly to: string;
  readonly text: string;
}

const nameOf = (e: Endpoint): string => `${e.address}:${e.port}`;

/** A network of datagrams in memory: delivers after 1 ms of the clock, loses, repeats and reorders as told. */
export class FakeNetwork {
  readonly sent: Sent[] = [];
  faults: Faults = {};
  /** Changes what is sent on the way; messages that are no messages any more are dropped then, as real transports do. */
  mutate: ((bytes: Uint8Array) => Uint8Array) | undefined;
  /** Whether `sent` is written: off for long runs. */
  isRecording = true;
  readonly #clock: Clock;
  readonly #hosts = new Map<string, FakeHost>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  host(address: string, port = 5060, protocol: Protocol = 'udp'): FakeHost {
    const host = new FakeHost(this, { address, port }, protocol);
    this.#hosts.set(nameOf(host.local), host);
    return host;
  }

  /** The first lines of what was sent since `from`: `alice > bob INVITE`, by the addresses' names. */
  lines(names: Readonly<Record<string, string>>, from = 0): string[] {
    const known = (address: string): string => names[address.split(':')[0] ?? ''] ?? address;
    return this.sent.slice(from).map((s) => {
      const first = s.text.slice(0, s.text.indexOf('\r\n'));
      const response = /^SIP\/2\.0 (\d+)/.exec(first);
      const method = /\r\nCSeq: \d+ (\S+)/.exec(s.text)?.[1] ?? '';
      return `${known(s.from)} > ${known(s.to)} ${response ? `${response[1] ?? ''} ${method}` : method}`;
    });
  }

  carry(sent: Uint8Array, from: FakeHost, remote: Endpoint): void {
    const bytes = this.mutate?.(sent) ?? sent;
    if (this.isRecording)
      this.sent.push({
        atMs: this.#clock.now(),
        from: nameOf(from.local),
        to: nameOf(remote),
        text: Buffer.from(bytes).toString('utf8'),
      });
    const { drop = 0, duplicate = 0, reorder = 0, random = () => 1 } = from.protocol === 'udp' ? this.faults : {};
    if (random() < drop) return;
    const copies = random() < duplicate ? 2 : 1;
    for (let i = 0; i < copies; i += 1) {
      const delay = random() < reorder ? 1 + random() * 100 : 1 + i * 3;
      this.#clock.after(delay, () => this.#hosts.get(nameOf(remote))?.receive(bytes, from.local));
    }
  }

  knows(remote: Endpoint): boolean {
    return this.#hosts.has(nameOf(remote));
  }
}

/** One host: a transport with a single listener. */
export class FakeHost implements Transport, FlowFinder {
  readonly local: Endpoint;
  readonly protocol: Protocol;
  readonly #network: FakeNetwork;
  #listener: ((message: SipMessage, flow: Flow) => void) | undefined;
  /** Makes every send fail. */
  isBroken = false;

  constructor(network: FakeNetwork, local: Endpoint, protocol: Protocol) {
    this.#network = network;
    this.local = local;
    this.protocol = protocol;
  }

  async send(bytes: Uint8Array, flow: Flow): Promise<void> {
    const isLost = this.protocol !== 'udp' && !this.#network.knows(flow.remote);
    if (this.isBroken || isLost) throw new TransportFailure('connect-failed', 'nobody there');
    this.#network.carry(bytes, this, flow.remote);
  }

  onMessage(listener: (message: SipMessage, flow: Flow) => void): void {
    this.#listener = listener;
  }

  flowTo(target: Target): Flow | undefined {
    if (target.protocol !== this.protocol) return undefined;
    return this.to({ address: target.address, port: target.port });
  }

  to(remote: Endpoint): Flow {
    return { protocol: this.protocol, local: this.local, remote };
  }

  receive(bytes: Uint8Array, from: Endpoint): void {
    const message = parseMessage(bytes);
    const isLenient = this.#network.mutate !== undefined;
    if (message.kind === 'failure' && isLenient) return;
    if (message.kind === 'failure') throw new Error(`bad message: ${message.reason}\n${Buffer.from(bytes).toString()}`);
    try {
      if (message.kind === 'request') stampVia(message, from);
      this.#listener?.(message, this.to(from));
    } catch (error) {
      if (!isLenient || !(error instanceof SyntaxFailure)) throw error;
    }
  }
}

/** RFC 3581 4 and RFC 3261 18.2.1, as every transport does it. */
function stampVia(request: SipRequest, from: Endpoint): void {
  const via = request.headers.via;
  if (!via) return;
  let params = via.params.with('received', from.address);
  if (params.has('rport')) params = params.with('rport', from.port);
  request.headers.replaceFirst('Via', via.with(params));
}
