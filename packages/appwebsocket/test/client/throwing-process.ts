/** A program whose handlers throw, and that goes on after uncaught exceptions: tells what arrived in spite of it. */
import { AppWebsocketClient } from '../../src/client/connection.ts';
import { TestService } from '../service/kit.ts';
import { PASSWORD } from './kit.ts';

const thrown: string[] = [];
process.on('uncaughtException', (error) => void thrown.push(error.message));
const tested = await TestService.start({
  onLogin: (connection) => {
    for (const n of [1, 2, 3]) connection.send({ mt: 'Told', n });
    setTimeout(() => connection.send({ mt: 'Told', n: 4 }), 20);
  },
});
const seen: unknown[] = [];
AppWebsocketClient.connect(tested.url, PASSWORD, 'tool')
  .onopen(() => {
    throw new Error('open');
  })
  .onmessage((_conn, _text, { n }) => {
    seen.push(n);
    if (n === 4) setTimeout(end, 0);
    throw new Error(`message ${String(n)}`);
  });
const patience = setTimeout(end, 3_000);

function end(): void {
  clearTimeout(patience);
  console.log(JSON.stringify({ seen, thrown }));
  process.exit();
}
