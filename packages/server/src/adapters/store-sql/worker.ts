/** The inside of both workers: one connection, one thing at a time, in the order in which it was asked. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { Connection } from './dialect/connection.ts';
import { openSqlite } from './dialect/sqlite.ts';
import { type PackedAsk, packReply, unpackAsk } from './pack.ts';
import { failureOf, type ReaderAsk, type WorkerPart } from './wire.ts';

/** Each part loads what it needs and no more: a worker starts while somebody waits. */
async function main(port: MessagePort, part: WorkerPart): Promise<void> {
  if (part.part === 'writer') {
    const { serveWriter } = await import('./serve-writer.ts');
    const connection = openSqlite(part.file, { readOnly: false });
    const serve = await serveWriter(connection, part, (reply) => port.postMessage(packReply(reply)));
    inOrder<PackedAsk>(port, (ask) => serve(unpackAsk(ask)));
  } else {
    const { serveReader } = await import('./serve-reader.ts');
    const open = (): Connection => openSqlite(part.file, { readOnly: true });
    inOrder<ReaderAsk>(
      port,
      serveReader(open, (reply) => port.postMessage(reply)),
    );
  }
}

/** Whatever `serve` throws ends the worker: it can't be trusted any more, and a new one begins with the database alone. */
function inOrder<Ask extends { readonly do: string }>(port: MessagePort, serve: (ask: Ask) => Promise<void>): void {
  let last = Promise.resolve();
  let isDead = false;
  async function next(ask: Ask): Promise<void> {
    if (isDead) return;
    try {
      await serve(ask);
      if (ask.do === 'close') port.close();
    } catch (error) {
      isDead = true;
      die(port, error);
    }
  }
  port.on('message', (ask: Ask) => {
    last = last.then(() => next(ask));
  });
}

function die(port: MessagePort, error: unknown): void {
  port.postMessage({ is: 'refused', failure: failureOf(error) });
  port.close();
  setImmediate(() => process.exit(1));
}

if (parentPort !== null) {
  const port = parentPort;
  main(port, workerData as WorkerPart).catch((error: unknown) => die(port, error));
}
