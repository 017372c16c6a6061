import type { IncomingMessage } from 'node:http';
import type { ConnectionHandler, OnConnection, SockJsConnection } from './ports.ts';

const nobody: ConnectionHandler = { onMessage: () => undefined, onClosed: () => undefined };

/** Opens a connection towards the application so that a defect there costs that connection, not the process (TM SJ-2). */
export function openGuarded(
  onConnection: OnConnection,
  onDefect: (error: unknown) => void,
  connection: SockJsConnection,
  request: IncomingMessage,
): ConnectionHandler {
  const failed = (error: unknown): void => {
    onDefect(error);
    connection.close(1011, 'Internal error');
  };
  let handler = nobody;
  try {
    handler = onConnection(connection, request);
  } catch (error) {
    failed(error);
  }
  return {
    onMessage(data) {
      try {
        handler.onMessage(data);
      } catch (error) {
        failed(error);
      }
    },
    onClosed(cause) {
      try {
        handler.onClosed(cause);
      } catch (error) {
        onDefect(error);
      }
    },
  };
}
