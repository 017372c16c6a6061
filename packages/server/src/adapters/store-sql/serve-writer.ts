import { migrate } from './migrate.ts';
import type { Connection } from './dialect/connection.ts';
import { HighWater } from './high-water.ts';
import { oldestOf } from './journal-rows.ts';
import { SqliteLedger } from './sqlite-ledger.ts';
import { sweep } from './sweep.ts';
import { failureOf, type WorkerPart, type WriterAsk, type WriterReply } from './wire.ts';
import { Writer } from './writer.ts';

type WriterPart = Extract<WorkerPart, { part: 'writer' }>;

/** Opens the database for writing and says so; what it returns serves one ask at a time. */
export async function serveWriter(
  connection: Connection,
  part: WriterPart,
  reply: (reply: WriterReply) => void,
): Promise<(ask: WriterAsk) => Promise<void>> {
  await migrate(connection);
  const ledger = await SqliteLedger.open(connection, part.settleAfter);
  const writer = new Writer(connection, ledger);
  const highWater = new HighWater(`${part.file}.high-water`);
  const epoch = await settleEpoch(connection, { highWater, head: ledger.position, fresh: part.freshEpoch });
  highWater.write(epoch, ledger.position);
  reply({ is: 'open', epoch, head: ledger.position, oldest: await oldestOf(connection.db) });

  /** Housekeeping that fails is tried again the next time; what the askers wrote stands. */
  async function trying(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (connection.faultOf(error) === 'broken') throw error;
      reply({ is: 'untidy', failure: failureOf(error) });
    }
  }

  return async (ask) => {
    switch (ask.do) {
      case 'units': {
        const outcomes = await writer.commit(ask.units, ask.now);
        highWater.write(epoch, ledger.position);
        reply({ is: 'committed', outcomes });
        await trying(() => ledger.settleDue());
        return;
      }
      case 'sweep':
        await trying(async () => {
          await ledger.settleAll();
          reply({ is: 'swept', ...(await sweep(connection, { now: ask.now, retentionMs: part.retentionMs })) });
        });
        return;
      case 'close':
        highWater.close();
        await connection.close();
        reply({ is: 'closed' });
    }
  };
}

/** The epoch that stands, or a new one where positions of this journal could have meant something else. */
async function settleEpoch(
  connection: Connection,
  at: { readonly highWater: HighWater; readonly head: number; readonly fresh: string },
): Promise<string> {
  const { db } = connection;
  const row = await db.selectFrom('meta').select('value').where('key', '=', 'epoch').executeTakeFirst();
  if (row !== undefined && at.highWater.continues(row.value, at.head)) return row.value;
  await db
    .insertInto('meta')
    .values({ key: 'epoch', value: at.fresh })
    .onConflict((on) => on.column('key').doUpdateSet({ value: at.fresh }))
    .execute();
  return at.fresh;
}
