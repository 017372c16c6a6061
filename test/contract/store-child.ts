/**
 * A process of its own that writes to a store until it is stopped, and prints each acknowledgement the moment it has it:
 * `store-child.ts <file> <senders> <window> <messages, 0: without end>`. Prints `refused <code>` where the store does not open.
 */
import { writeSync } from 'node:fs';
import { createMemoryBell } from '../../packages/server/src/adapters/bus-memory/index.ts';
import { createStoreSql, type SqlStore } from '../../packages/server/src/adapters/store-sql/index.ts';
import type { MessageId } from '../../packages/server/src/core/journal/index.ts';
import { Problem, randomIds, systemClock } from '../../packages/server/src/kit/index.ts';
import { guid, messageFrom } from './store-samples.ts';

const [file = '', senders = '1', window = '1', total = '0'] = process.argv.slice(2);

const pause = new Int32Array(new SharedArrayBuffer(4));

/** Not by console.log: one system call per line, at once, so that a trace shows when it was told. Waits while the pipe is full. */
function say(line: string): void {
  for (;;)
    try {
      writeSync(1, `${line}\n`);
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
      Atomics.wait(pause, 0, 0, 1);
    }
}

let left = total === '0' ? Infinity : Number(total);

async function send({ store }: SqlStore, sender: number): Promise<void> {
  while (left-- > 0) {
    const id = randomIds.sortable(Date.now()) as MessageId;
    const { message } = await store.write(
      'conversations.append',
      messageFrom(guid(sender), guid(sender + 1), { id, body: `#${id}#` }),
    );
    say(`ack ${message.id} ${message.conversation} ${message.seq}`);
  }
}

async function main(): Promise<void> {
  const opened = await createStoreSql({ file, bell: createMemoryBell(), clock: systemClock, ids: randomIds });
  say(`open ${opened.journal.epoch}`);
  const lanes: Promise<void>[] = [];
  for (let sender = 1; sender <= Number(senders); sender++)
    for (let i = 0; i < Number(window); i++) lanes.push(send(opened, 2 * sender));
  await Promise.all(lanes);
  const { commits, units } = opened.figures();
  say(`done ${commits} ${units}`);
  await opened.close();
}

main().catch((error: unknown) => {
  say(error instanceof Problem ? `refused ${error.code} ${error.message}` : `failed ${String(error)}`);
  process.exit(3);
});
