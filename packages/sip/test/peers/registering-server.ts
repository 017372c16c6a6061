import {
  DigestServer,
  MemoryLocation,
  Registrar,
  TimerWheel,
  TransactionLayer,
  makeResponse,
  openTransports,
  randomIds,
  systemClock,
} from '../../src/index.ts';
import type {
  DigestServerOptions,
  Listener,
  ListenerOptions,
  Protocol,
  SipTransports,
  TlsIdentity,
  TransactionUser,
} from '../../src/index.ts';

export interface RegisteringServerOptions {
  readonly protocols: readonly Protocol[];
  readonly address?: string;
  readonly identity?: TlsIdentity;
  readonly realm?: string;
  /** User to password. */
  readonly users: Readonly<Record<string, string>>;
  readonly algorithms?: DigestServerOptions['algorithms'];
  /** What is no REGISTER. By default 405. */
  readonly user?: Partial<TransactionUser>;
}

export interface RegisteringServer {
  readonly transports: SipTransports;
  readonly layer: TransactionLayer;
  readonly registrar: Registrar;
  readonly location: MemoryLocation;
  /** `REGISTER 401`, `REGISTER 200` … in order. */
  readonly answered: string[];
  listener(protocol: Protocol): Listener;
  close(): Promise<void>;
}

/** A registrar with digest on real sockets: what phones register at. */
export async function startRegisteringServer(options: RegisteringServerOptions): Promise<RegisteringServer> {
  const listeners = options.protocols.map((protocol): ListenerOptions => ({
    protocol,
    address: options.address ?? '127.0.0.1',
    port: 0,
    ...(options.identity === undefined ? {} : { tls: options.identity }),
  }));
  const transports = await openTransports({ listeners });
  const { realm = 'tieline.test', users, algorithms } = options;
  const findSecret = (name: string): { password: string } | undefined => {
    const password = users[name];
    return password === undefined ? undefined : { password };
  };
  const location = new MemoryLocation();
  const digest = new DigestServer({ realm, findSecret, ...(algorithms === undefined ? {} : { algorithms }) });
  const registrar = new Registrar({ location, digest });
  const answered: string[] = [];
  const layer = new TransactionLayer({
    transport: transports,
    clock: new TimerWheel(systemClock),
    ids: randomIds(),
    user: {
      onRequest(transaction, request) {
        if (request.method !== 'REGISTER' && options.user?.onRequest !== undefined)
          return options.user.onRequest(transaction, request);
        const answer =
          request.method === 'REGISTER'
            ? registrar.handle(request, transaction.flow)
            : Promise.resolve(makeResponse(request, 405));
        void answer.then((response) => {
          answered.push(`${request.method} ${response.status}`);
          transaction.respond(response);
        });
      },
      onAck: (ack, flow) => options.user?.onAck?.(ack, flow),
    },
  });
  return {
    transports,
    layer,
    registrar,
    location,
    answered,
    listener(protocol) {
      const found = transports.listeners.find((own) => own.protocol === protocol);
      if (found === undefined) throw new Error(`no ${protocol}`);
      return found;
    },
    async close() {
      registrar.close();
      layer.close();
      await transports.close();
    },
  };
}
