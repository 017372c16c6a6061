import type { Connection } from './dialect/connection.ts';
import { Reader } from './reader.ts';
import { failureOf, type ReaderAsk, type ReaderReply } from './wire.ts';

/** Opens the database for reading and says so; what it returns answers one question at a time. */
export function serveReader(
  connection: Connection,
  reply: (reply: ReaderReply) => void,
): (ask: ReaderAsk) => Promise<void> {
  const reader = new Reader(connection);
  reply({ is: 'open' });
  return async (ask) => {
    if (ask.do === 'close') {
      await connection.close();
      reply({ is: 'closed' });
      return;
    }
    try {
      reply({ is: 'answer', id: ask.id, output: await reader.answer(ask.question) });
    } catch (error) {
      if (connection.isBroken(error)) throw error;
      reply({ is: 'failed', id: ask.id, failure: failureOf(error) });
    }
  };
}
