import { B2bua, type B2buaOptions } from '../../examples/b2bua.ts';
import { DigestServer, MemoryLocation, openTransports, Registrar } from '../../src/index.ts';
import type { Listener, Protocol, SipTransports, TlsIdentity } from '../../src/index.ts';

export interface B2buaServerOptions extends Partial<Omit<B2buaOptions, 'transports' | 'registrar'>> {
  readonly protocols: readonly Protocol[];
  /** User to password. */
  readonly users: Readonly<Record<string, string>>;
  readonly identity?: TlsIdentity;
  readonly address?: string;
  /** Whether callers prove themselves too. Default true. */
  readonly isStrict?: boolean;
}

export interface B2buaServer {
  readonly transports: SipTransports;
  readonly registrar: Registrar;
  readonly b2bua: B2bua;
  listener(protocol: Protocol): Listener;
  close(): Promise<void>;
}

/** The example back-to-back agent on real sockets, with a registrar in memory. */
export async function startB2buaServer(options: B2buaServerOptions): Promise<B2buaServer> {
  const { protocols, users, identity, address = '127.0.0.1', isStrict = true, ...rest } = options;
  const transports = await openTransports({
    listeners: protocols.map((protocol) => ({
      protocol,
      address,
      port: 0,
      ...(identity === undefined ? {} : { tls: identity }),
    })),
  });
  const findSecret = (name: string): { password: string } | undefined => {
    const password = users[name];
    return password === undefined ? undefined : { password };
  };
  const digest = new DigestServer({ realm: 'tieline.test', findSecret });
  const registrar = new Registrar({ location: new MemoryLocation(), digest });
  const b2bua = new B2bua({ transports, registrar, ...(isStrict ? { digest } : {}), ...rest });
  return {
    transports,
    registrar,
    b2bua,
    listener(protocol) {
      const found = transports.listeners.find((own) => own.protocol === protocol);
      if (found === undefined) throw new Error(`no ${protocol}`);
      return found;
    },
    async close() {
      await b2bua.agent.close();
      registrar.close();
      await transports.close();
    },
  };
}
