import { createServer, type IncomingMessage, type Server } from 'node:http';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import type { TapiServerSimulator } from './simulator.ts';

/**
 * A body of the control channel: a handful of numbers.
 * @peer 400
 * @test simulator: the control channel rings
 */
const MAX_BODY_BYTES = 64 * 1024;

const RING = Type.Object({ from: Type.String(), to: Type.String(), force: Type.Optional(Type.Boolean()) });
const DROP = Type.Object({ how: Type.Union([Type.Literal('fin'), Type.Literal('rst')]) });
const RAW = Type.Object({ hex: Type.String({ pattern: '^([0-9a-fA-F]{2})*$' }) });
const LISTEN = Type.Object({ open: Type.Boolean() });
const CHUNK = Type.Object({ size: Type.Integer({ minimum: 0 }) });

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** The control channel of TM §5.7, on loopback. @returns the listening server */
export async function openControl(simulator: TapiServerSimulator, port: number): Promise<Server> {
  const server = createServer((req, res) => {
    answer(simulator, req).then(
      ({ status, body }) => {
        res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      },
      (error: unknown) => {
        const reason = error instanceof Error ? error.message : 'failed';
        res.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ error: reason }));
      },
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return server;
}

async function answer(simulator: TapiServerSimulator, req: IncomingMessage): Promise<Answer> {
  if (req.method === 'GET' && req.url === '/state') return { status: 200, body: simulator.state };
  if (req.method !== 'POST') return { status: 404, body: { error: 'not found' } };
  const body = await bodyOf(req);
  switch (req.url) {
    case '/ring': {
      const { from, to, force } = Value.Parse(RING, body);
      return ok({ delivered: simulator.ring(from, to, force) });
    }
    case '/drop':
      simulator.drop(Value.Parse(DROP, body).how);
      return ok({});
    case '/raw':
      simulator.raw(Buffer.from(Value.Parse(RAW, body).hex, 'hex'));
      return ok({});
    case '/listen':
      await (Value.Parse(LISTEN, body).open ? simulator.open() : simulator.shut());
      return ok({});
    case '/chunk':
      simulator.chunk(Value.Parse(CHUNK, body).size);
      return ok({});
    case '/reset':
      simulator.reset();
      return ok({});
    default:
      return { status: 404, body: { error: 'not found' } };
  }
}

const ok = (body: unknown): Answer => ({ status: 200, body });

async function bodyOf(req: IncomingMessage): Promise<unknown> {
  let text = '';
  req.setEncoding('utf8');
  for await (const chunk of req) {
    text += String(chunk);
    if (text.length > MAX_BODY_BYTES) throw new Error('The body is too long.');
  }
  return text === '' ? {} : JSON.parse(text);
}
