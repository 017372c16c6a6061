import { expect, test, vi } from 'vitest';
import { ChatApiClient, type EventLog } from '../kit/chat-api-client.ts';
import { ChatApiWorld } from '../kit/chat-api-world.ts';
import { scaled, seeded, seedOf } from '../kit/scale.ts';
import { until } from '../kit/wait.ts';

const STEPS = scaled({ verify: 250, soak: 5_000 });
vi.setConfig({ testTimeout: scaled({ verify: 90_000, soak: 900_000 }) });

/** bob, who comes and goes as chance has it, and always comes back with the position that he has. */
class Wanderer {
  readonly client: ChatApiClient;
  readonly told: { readonly id: string; readonly seq: number }[] = [];
  #log: EventLog | null = null;
  #position = '';

  constructor(client: ChatApiClient) {
    this.client = client;
  }

  async open(): Promise<void> {
    if (this.#log !== null) return;
    const log = await this.client.events(this.#position === '' ? {} : { lastEventId: this.#position });
    // A login may have been overtaken by a logoff: then there is no stream, and the next step tries again.
    if (log.failure === null) this.#log = log;
    else log.close();
  }

  /** Not before it has a position: who has none is a new client. */
  async leave(): Promise<void> {
    const log = this.#log;
    if (log !== null) await until(() => this.#position !== '' || log.all.length > 0, 'ready');
    this.#log?.close();
    this.#collect();
    this.#log = null;
  }

  async logoff(): Promise<void> {
    await this.client.ask('POST', '/chat/logoff');
    await this.leave();
    await this.client.login();
  }

  has(count: number): boolean {
    this.#collect();
    return new Set(this.told.map(({ id }) => id)).size === count;
  }

  #collect(): void {
    const log = this.#log;
    if (log === null) return;
    expect(log.of('reset')).toEqual([]);
    for (const { event, data, id } of log.all) {
      if (event === 'chat') this.told.push({ id: data.id, seq: data.seq });
      if (id !== '') this.#position = id;
    }
    log.all.length = 0;
  }
}

test('coming, going, logging off and on, restarts, while messages come: all are told, in order', async () => {
  const random = seeded(seedOf('chat-api race'));
  await using world = await ChatApiWorld.start({ limits: { retryMs: 5, saveCursorsMs: 20 } });
  const alice = await ChatApiClient.signIn(world.url, 'alice');
  const bob = new Wanderer(await ChatApiClient.signIn(world.url, 'bob'));
  await bob.open();
  const sending: Promise<string>[] = [];
  for (let step = 0; step < STEPS; step++) {
    const dice = random();
    if (dice < 0.6) sending.push(alice.say('bob', `step ${step}`));
    else if (dice < 0.75) await bob.leave();
    else if (dice < 0.92) await bob.open();
    else if (dice < 0.99) await bob.logoff();
    else {
      await Promise.all(sending);
      await world.restart();
    }
  }
  await Promise.all(sending);
  await until(async () => {
    await bob.open();
    return bob.has(sending.length);
  }, 'everything told');
  await bob.leave();
  const fresh = new Map(bob.told.map(({ id, seq }) => [id, seq]));
  expect([...fresh.values()].toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: sending.length }, (_, i) => i + 1),
  );
  // What was told for the first time came in order.
  const seen = new Set<string>();
  const first = bob.told.filter(({ id }) => !seen.has(id) && seen.add(id)).map(({ seq }) => seq);
  expect(first).toEqual(first.toSorted((a, b) => a - b));
  expect(world.troubles).toEqual([]);
  await until(() => world.chatApi.figures().eventStreams === 0);
});
