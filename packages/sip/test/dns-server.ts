import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { NaptrRecord, SrvRecord } from '../src/index.ts';

export interface Zone {
  readonly a?: Readonly<Record<string, readonly string[]>>;
  readonly aaaa?: Readonly<Record<string, readonly string[]>>;
  readonly srv?: Readonly<Record<string, readonly SrvRecord[]>>;
  readonly naptr?: Readonly<Record<string, readonly NaptrRecord[]>>;
  /** Names that get a server failure, and names that get no answer. */
  readonly failing?: readonly string[];
  readonly silent?: readonly string[];
}

export interface DnsServer {
  /** For `nodeResolver`. */
  readonly address: string;
  /** Every question, as `SRV name`. */
  readonly asked: string[];
  close(): Promise<void>;
}

const TYPES: Readonly<Record<number, keyof Zone & ('a' | 'aaaa' | 'srv' | 'naptr')>> = {
  1: 'a',
  28: 'aaaa',
  33: 'srv',
  35: 'naptr',
};

/** A small name server on loopback, by UDP. */
export async function startDnsServer(zone: Zone): Promise<DnsServer> {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  socket.on('message', (query, from) => {
    const { name, end } = readName(query, 12);
    const type = query.readUInt16BE(end);
    const kind = TYPES[type];
    asked.push(`${(kind ?? String(type)).toUpperCase()} ${name}`);
    if (zone.silent?.includes(name) === true) return;
    const records = kind === undefined ? [] : recordsOf(zone, kind, name);
    const isKnown = Object.values(TYPES).some((one) => zone[one]?.[name] !== undefined);
    const code = zone.failing?.includes(name) === true ? 2 : isKnown ? 0 : 3;
    socket.send(writeAnswer(query, end + 4, type, records, code), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    asked,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

function recordsOf(zone: Zone, kind: 'a' | 'aaaa' | 'srv' | 'naptr', name: string): Buffer[] {
  switch (kind) {
    case 'a':
      return (zone.a?.[name] ?? []).map((text) => Buffer.from(text.split('.').map(Number)));
    case 'aaaa':
      return (zone.aaaa?.[name] ?? []).map((text) => Buffer.from(text, 'hex'));
    case 'srv':
      return (zone.srv?.[name] ?? []).map((r) =>
        Buffer.concat([numbers(r.priority, r.weight, r.port), writeName(r.name)]),
      );
    case 'naptr':
      return (zone.naptr?.[name] ?? []).map((r) =>
        Buffer.concat([
          numbers(r.order, r.preference),
          ...[r.flags, r.service, ''].map((text) => Buffer.from([text.length, ...Buffer.from(text)])),
          writeName(r.replacement),
        ]),
      );
  }
}

function writeAnswer(
  query: Buffer,
  questionEnd: number,
  type: number,
  records: readonly Buffer[],
  code: number,
): Buffer {
  const head = Buffer.from(query.subarray(0, 12));
  head.writeUInt16BE(0x8580 | code, 2);
  head.writeUInt16BE(records.length, 6);
  head.writeUInt16BE(0, 8);
  head.writeUInt16BE(0, 10);
  const answers = records.flatMap((data) => [Buffer.from([0xc0, 12]), numbers(type, 1, 0, 60, data.length), data]);
  return Buffer.concat([head, query.subarray(12, questionEnd), ...answers]);
}

function readName(bytes: Buffer, at: number): { name: string; end: number } {
  const labels: string[] = [];
  let i = at;
  for (let length = bytes[i] ?? 0; length > 0; length = bytes[i] ?? 0) {
    labels.push(bytes.toString('latin1', i + 1, i + 1 + length).toLowerCase());
    i += 1 + length;
  }
  return { name: labels.join('.'), end: i + 1 };
}

const writeName = (name: string): Buffer =>
  Buffer.concat([
    ...name
      .split('.')
      .filter(Boolean)
      .map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
    Buffer.from([0]),
  ]);

function numbers(...values: number[]): Buffer {
  const out = Buffer.alloc(2 * values.length);
  values.forEach((value, i) => out.writeUInt16BE(value, 2 * i));
  return out;
}
