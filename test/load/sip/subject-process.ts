/**
 * The library as a server of its own, on one core: the back-to-back agent of the examples, without or with digest on both legs, or with
 * a registrar. Started by `subject.ts`; answers every message with what it used.
 */
import { DigestServer, MemoryLocation, Registrar, openTransports } from '@tieline/sip';
import { B2bua } from '../../../packages/sip/examples/b2bua.ts';

const [mode = 'plain', target = ''] = process.argv.slice(2);
const transports = await openTransports({ listeners: [{ protocol: 'udp', address: '127.0.0.1', port: 0 }] });
const findSecret = (name: string): { password: string } => ({ password: `secret-${name}` });
const digest = mode === 'plain' ? undefined : new DigestServer({ realm: 'tieline.test', findSecret });
const location = new MemoryLocation();
const registrar =
  mode === 'registrar' && digest !== undefined
    ? new Registrar({ location, digest, onError: console.error })
    : undefined;
const b2bua = new B2bua({
  transports,
  ...(registrar === undefined ? { route: () => [{ uri: `sip:bob@${target}` }] } : { registrar }),
  ...(digest === undefined ? {} : { digest }),
  agent: { credentials: { username: 'trunk', password: 'secret' } },
});

export interface Usage {
  readonly heapBytes: number;
  readonly cpuSeconds: number;
  readonly dialogs: number;
  readonly transactions: number;
  readonly bindings: number;
}

process.on('message', (question) => {
  if (question === 'collect') globalThis.gc?.();
  if (question === 'collect') globalThis.gc?.();
  const { user, system } = process.cpuUsage();
  const memory = process.memoryUsage();
  const { dialogs, transactions } = b2bua.agent.counts;
  const usage: Usage = {
    heapBytes: memory.heapUsed + memory.external,
    cpuSeconds: (user + system) / 1e6,
    dialogs,
    transactions,
    bindings: location.size,
  };
  process.send?.(usage);
});
process.on('disconnect', () => process.exit());
process.send?.({ port: transports.listeners[0]?.local.port });
