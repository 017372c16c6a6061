/** One end of the flow control test, in a process of its own so that its memory can be told apart. */
import { AppWebsocketClient } from '../../src/client/connection.ts';
import { TestService } from '../service/kit.ts';
import { PASSWORD } from './kit.ts';

export type Role =
  'service-sends' | 'service-holds' | 'service-takes' | 'client-sends' | 'client-holds' | 'client-takes';

/** What a process tells its parent. Sizes in bytes. */
export interface Report {
  readonly url?: string;
  /** Resident size when logged in and warm. */
  readonly idleBytes?: number;
  readonly residentBytes?: number;
  /** Messages sent, or delivered. */
  readonly count?: number;
  /** Turns of the event loop since it was told to count them. */
  readonly turns?: number;
}

const MESSAGES = 16_384;
const FILLER = 'x'.repeat(65_536 - 40);

let count = 0;
let turns = 0;
const tell = (report: Report): void => void process.send?.(report);

function countTurn(): void {
  turns++;
  setImmediate(countTurn);
}

/** Pulls 1 GiB out of a generator, as fast as the socket takes it. */
async function sendAll(send: (text: string) => void, drained: () => Promise<void>): Promise<void> {
  function* messages(): Generator<string> {
    for (let n = 0; n < MESSAGES; n++) yield JSON.stringify({ mt: 'Block', n, t: FILLER });
  }
  for (const text of messages()) {
    send(text);
    count++;
    await drained();
  }
}

function reportFrom(idle: () => boolean): void {
  const timer = setInterval(() => {
    if (!idle()) return;
    clearInterval(timer);
    globalThis.gc?.();
    tell({ idleBytes: process.memoryUsage.rss() });
  }, 5);
}

process.on('message', (message) => {
  if (message === 'report') tell({ count, turns, residentBytes: process.memoryUsage.rss() });
  if (message === 'count turns') countTurn();
});

const role = process.argv[2] as Role;
const url = process.argv[3] ?? '';
const never = new Promise<void>(() => undefined);
let isLoggedIn = false;
reportFrom(() => isLoggedIn);

if (role.startsWith('service')) {
  const tested = await TestService.start({
    onLogin: (connection) => {
      isLoggedIn = true;
      process.on('message', (message) => {
        if (message === 'go' && role === 'service-sends')
          void sendAll(
            (text) => connection.sendText(text),
            () => connection.drained(),
          );
      });
    },
    onMessage: () => {
      count++;
      return role === 'service-holds' ? never : undefined;
    },
  });
  tell({ url: tested.url });
} else {
  const conn = AppWebsocketClient.connect(url, PASSWORD, 'tool')
    .onopen(() => (isLoggedIn = true))
    .onmessage(() => count++)
    .setFlowControl(role === 'client-holds');
  process.on('message', (message) => {
    if (message === 'go' && role === 'client-sends')
      void sendAll(
        (text) => conn.send(text),
        () => conn.drained(),
      );
    if (message === 'complete') conn.onmessage((c) => (count++, c.messageComplete())).messageComplete();
  });
}
