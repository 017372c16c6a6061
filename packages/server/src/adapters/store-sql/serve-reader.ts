import type { Connection } from './dialect/connection.ts';
import { Reader } from './reader.ts';
import { failureOf, type ReaderAsk, type ReaderReply } from './wire.ts';

/**
 * Says that it is there; what it returns answers one question at a time. The database is opened for the first question: the
 * writer, which makes it, starts at the same time.
 */
export function serveReader(
  open: () => Connection,
  reply: (reply: ReaderReply) => void,
): (ask: ReaderAsk) => Promise<void> {
  let opened: { readonly connection: Connection; readonly reader: Reader } | null = null;
  reply({ is: 'open' });
  return async (ask) => {
    if (ask.do === 'close') {
      await opened?.connection.close();
      reply({ is: 'closed' });
      return;
    }
    if (opened === null) {
      const connection = open();
      opened = { connection, reader: new Reader(connection) };
    }
    const { connection, reader } = opened;
    try {
      reply({ is: 'answer', id: ask.id, output: await reader.answer(ask.question) });
    } catch (error) {
      if (connection.faultOf(error) === 'broken') throw error;
      reply({ is: 'failed', id: ask.id, failure: failureOf(error) });
    }
  };
}
