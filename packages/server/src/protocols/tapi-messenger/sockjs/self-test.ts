import type { Timer } from '../../../kit/index.ts';
import { every } from '../../../kit/index.ts';
import { SockJsEndpoint } from './endpoint.ts';
import type { SockJsParts } from './endpoint.ts';
import type { SockJsOptions } from './options.ts';
import type { ConnectionHandler, SockJsConnection } from './ports.ts';
import { TurnEnd } from './turn-end.ts';

/** The services that the public SockJS suites drive (TM SJ-60). Never mounted unless asked for: anybody may use them. */
export function createSelfTestEndpoints(
  parts: Omit<SockJsParts, 'onConnection'>,
  options: Partial<SockJsOptions> = {},
): readonly SockJsEndpoint[] {
  const turnEnd = parts.turnEnd ?? new TurnEnd();
  const members = new Set<SockJsConnection>();
  const mount = (
    prefix: string,
    serve: (connection: SockJsConnection) => ConnectionHandler,
    more: Partial<SockJsOptions> = {},
  ): SockJsEndpoint =>
    new SockJsEndpoint(
      { ...parts, turnEnd, onConnection: serve },
      { ...options, responseLimitBytes: 4096, ...more, prefix },
    );
  return [
    mount('/echo', echo),
    mount('/disabled_websocket_echo', echo, { websocket: false }),
    mount('/cookie_needed_echo', echo, { cookieNeeded: true }),
    mount('/close', close),
    mount('/amplify', amplify),
    mount('/ticker', (connection) => tick(every(parts.clock, 1000, () => connection.send('tick!')))),
    mount('/broadcast', (connection) => broadcast(connection, members)),
  ];
}

const ignore = (): void => undefined;

function echo(connection: SockJsConnection): ConnectionHandler {
  return { onMessage: (data) => connection.send(textOf(data)), onClosed: ignore };
}

/** Raw WebSocket text arrives as octets; it goes back as text. */
function textOf(data: string | Buffer): string {
  return typeof data === 'string' ? data : data.toString('utf8');
}

function close(connection: SockJsConnection): ConnectionHandler {
  connection.close(3000, 'Go away!');
  return { onMessage: ignore, onClosed: ignore };
}

function amplify(connection: SockJsConnection): ConnectionHandler {
  return {
    onMessage(data) {
      const n = Math.trunc(Number(textOf(data)));
      connection.send('x'.repeat(2 ** (n >= 1 && n <= 18 ? n : 1)));
    },
    onClosed: ignore,
  };
}

function tick(timer: Timer): ConnectionHandler {
  return { onMessage: ignore, onClosed: () => timer.cancel() };
}

function broadcast(connection: SockJsConnection, members: Set<SockJsConnection>): ConnectionHandler {
  members.add(connection);
  return {
    onMessage(data) {
      for (const member of members) member.send(textOf(data));
    },
    onClosed: () => void members.delete(connection),
  };
}
