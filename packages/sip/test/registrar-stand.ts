import { afterEach, beforeEach, expect } from 'vitest';
import { Headers, MemoryLocation, Registrar, makeRequest, parseUri } from '../src/index.ts';
import type { Connection, Flow, RegistrarOptions, SipRequest, SipResponse } from '../src/index.ts';
import { FakeClock } from './fake-clock.ts';

export const UDP: Flow = {
  protocol: 'udp',
  local: { address: '192.0.2.1', port: 5060 },
  remote: { address: '192.0.2.9', port: 40000 },
};
export const BOB = 'sip:bob@biloxi.com';

/** A connection that ends when the test says so. */
export class FakeConnection implements Connection {
  readonly id: string;
  isOpen = true;
  readonly #listeners = new Set<() => void>();
  constructor(id: string) {
    this.id = id;
  }
  get listenerCount(): number {
    return this.#listeners.size;
  }
  onClose(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  close(): void {
    this.isOpen = false;
    for (const listener of this.#listeners) listener();
  }
  get flow(): Flow {
    return { ...UDP, protocol: 'tcp', connection: this };
  }
}

export let clock: FakeClock;
export let location: MemoryLocation;
export let registrar: Registrar;
let opened: Registrar | undefined;
export let changes: string[];
let cseq = 0;

/** A new registrar in place of the one that stands. */
export function open(options: Partial<RegistrarOptions> = {}, maxBindings?: number): Registrar {
  opened?.close();
  const now = (): number => clock.now();
  location = new MemoryLocation({ now, ...(maxBindings === undefined ? {} : { maxBindings }) });
  changes = [];
  registrar = new Registrar({
    location,
    clock,
    now,
    onChange: (aor, bindings, cause) => changes.push(`${cause} ${aor} ${bindings.length}`),
    ...options,
  });
  opened = registrar;
  return registrar;
}
beforeEach(() => {
  opened = undefined;
  clock = new FakeClock();
  open();
});
afterEach(() => {
  registrar.close();
  expect(clock.size).toBe(0);
});

export interface Asked {
  readonly contacts?: readonly string[];
  readonly more?: readonly (readonly [string, string])[];
  readonly vias?: number;
  readonly callId?: string;
  readonly cseq?: number;
  readonly to?: string;
  readonly method?: string;
}

export function register({
  contacts = [],
  more = [],
  vias = 1,
  callId = 'call',
  to = `<${BOB}>`,
  method = 'REGISTER',
  ...rest
}: Asked = {}): SipRequest {
  const headers = new Headers();
  for (let i = 0; i < vias; i++) headers.add('Via', `SIP/2.0/UDP 192.0.2.9:5062;branch=z9hG4bK${i}`);
  headers.add('From', `<${BOB}>;tag=1`);
  headers.add('To', to);
  headers.add('Call-ID', callId);
  headers.add('CSeq', `${rest.cseq ?? (cseq += 1)} ${method}`);
  for (const contact of contacts) headers.add('Contact', contact);
  for (const [name, value] of more) headers.add(name, value);
  return makeRequest({ method, uri: parseUri('sip:biloxi.com'), headers });
}

export const ask = (asked: Asked, flow = UDP): Promise<SipResponse> => registrar.handle(register(asked), flow);
export const bound = async (): Promise<string[]> => (await registrar.find(BOB)).map((binding) => binding.contact);
export const contactsOf = (response: SipResponse): string[] => response.headers.getAll('Contact');
