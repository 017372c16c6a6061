import { setTimeout as sleep } from 'node:timers/promises';
import { ChatApiClient } from '../../kit/chat-api-client.ts';
import { until } from '../../kit/wait.ts';
import { Ledger, type Proof, type Stored } from './ledger.ts';
import { type Doors, Hearer, Talker } from './traffic.ts';

/** Something that goes wrong, and is mended before `run` resolves. */
export interface Fault {
  readonly name: string;
  run(): Promise<void>;
}

export interface FaultRun {
  readonly doors: Doors;
  /** In this order, each amid its part of the messages; with `minutes` again and again. */
  readonly faults: readonly Fault[];
  /** Messages in all, over the three surfaces; with `minutes` as many as the time allows. */
  readonly messages: number;
  readonly minutes?: number;
  /** Messages a second, all talkers together; absent: as fast as they are acknowledged. */
  readonly rate?: number;
  readonly log: (line: string) => void;
}

export interface FaultResult extends Proof {
  readonly retries: number;
  readonly returns: number;
  readonly resets: number;
  /** The first of what is missing, for whoever has to find out why. */
  readonly missing: readonly string[];
}

const USERS = ['alice', 'bob', 'carol'] as const;
/** Messages of one talker under way at once. */
const WINDOW = 8;
/** After the last fault everything must come within this time. */
const SETTLE_MS = 120_000;
const PAGE = 500;

/**
 * Three users write to each other, each on another surface, while things go wrong. Who loses his connection goes on elsewhere,
 * on another surface too.
 */
export async function runWithFaults(run: FaultRun): Promise<FaultResult> {
  const { doors, log } = run;
  const ledger = new Ledger();
  const talkers = [
    new Talker({ user: 'alice', surface: 'sse', doors, preferred: 0 }),
    new Talker({ user: 'bob', surface: 'stomp', doors, preferred: 1 }),
    new Talker({ user: 'carol', surface: 'appws', doors, preferred: 1 }),
  ];
  const hearers = [
    new Hearer({ ledger, user: 'alice', surfaces: ['appws'], doors, preferred: 0 }),
    new Hearer({ ledger, user: 'bob', surfaces: ['stomp', 'sse', 'appws'], doors, preferred: 1 }),
    // Her device has her chat calls, and their texts: of her sessions on AppWebsocket it alone hears.
    new Hearer({ ledger, user: 'carol', surfaces: ['sse'], doors, preferred: 0 }),
    new Hearer({ ledger, user: 'carol', surfaces: ['stomp'], doors, preferred: 1 }),
  ];
  await until(() => hearers.every((h) => h.isConnected), 'everybody to listen', SETTLE_MS);
  // Everybody has a place to come back to before anything goes wrong.
  await Promise.all(
    talkers.flatMap((talker) =>
      othersOf(talker.user).map((to) => talker.say(to, `${talker.user} greets ${to}`, ledger)),
    ),
  );
  await until(() => ledger.missing().size === 0, 'the greetings', SETTLE_MS);

  const end = run.minutes === undefined ? Infinity : performance.now() + run.minutes * 60_000;
  const total = run.minutes === undefined ? run.messages : Infinity;
  const traffic = { next: 0, isOver: () => traffic.next >= total || performance.now() > end };
  const gate = new Gate(run.minutes === undefined ? run.messages / (run.faults.length + 2) : Infinity);
  const begun = performance.now();
  const lanes = talkers.flatMap((talker) =>
    Array.from({ length: WINDOW }, async () => {
      while (!traffic.isOver()) {
        const number = traffic.next++;
        await gate.passes(number);
        if (run.rate !== undefined) await sleep(Math.max(0, begun + (number / run.rate) * 1_000 - performance.now()));
        const [one, other] = othersOf(talker.user);
        const to = (number & 1) === 0 ? one : other;
        if (to !== undefined) await talker.say(to, `${talker.user} to ${to} ${number}`, ledger);
      }
    }),
  );
  await Promise.all([...lanes, sufferFaults(run, ledger, gate, traffic.isOver)]);
  log('everything was sent; waiting for what is still on its way');
  await until(() => ledger.missing().size === 0, 'the rest', SETTLE_MS).catch(() => log('something is missing'));
  const missing = [...ledger.missing()].flatMap(([name, texts]) => texts.slice(0, 5).map((text) => `${name}: ${text}`));
  await Promise.all([...hearers.map((h) => h.close()), ...talkers.map((t) => t.close())]);
  const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
  return {
    ...ledger.proof(await storedIn(doors)),
    retries: sum(talkers.map((t) => t.retries)),
    returns: sum(hearers.map((h) => h.returns)),
    resets: sum(hearers.map((h) => h.resets)),
    missing,
  };
}

/** Lets no more messages pass than belong to the faults so far: each begins with half a part still to come, however fast the nodes are. */
class Gate {
  readonly part: number;
  #mended = 0;
  #change = Promise.withResolvers<void>();

  constructor(part: number) {
    this.part = part;
  }

  async passes(number: number): Promise<void> {
    while (number >= this.part * (this.#mended + 1.5)) await this.#change.promise;
  }

  faultIsMended(all: number): void {
    this.#mended = this.#mended + 1 === all ? Infinity : this.#mended + 1;
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }
}

async function sufferFaults(run: FaultRun, ledger: Ledger, gate: Gate, isOver: () => boolean): Promise<void> {
  const { faults, minutes, log } = run;
  for (let i = 0; minutes === undefined ? i < faults.length : !isOver(); i++) {
    const fault = faults[i % faults.length];
    if (fault === undefined) return;
    if (minutes === undefined) {
      const due = gate.part * (i + 1);
      await until(() => ledger.acknowledgements >= due, `${due} acknowledgements`, SETTLE_MS * 5);
    } else await sleep(20_000);
    log(`${String(ledger.acknowledgements).padStart(7)} acknowledged: ${fault.name}`);
    await fault.run();
    gate.faultIsMended(faults.length);
  }
}

function othersOf(user: string): readonly string[] {
  return USERS.filter((other) => other !== user);
}

/** Every conversation as the store has it, oldest first, read by REST. */
async function storedIn(doors: Doors): Promise<readonly Stored[]> {
  const [door] = doors.doorsFor(0);
  if (door === undefined) throw new Error('no node lives');
  const stored: Stored[] = [];
  for (const [user, peer] of [
    ['alice', 'bob'],
    ['alice', 'carol'],
    ['bob', 'carol'],
  ] as const) {
    const client = await ChatApiClient.signIn(door.url, user);
    const pages: Stored[][] = [];
    for (let before = ''; ;) {
      const page = await client.history(
        `/chat/messages?to=${peer}&max=${PAGE}${before === '' ? '' : `&before=${before}`}`,
      );
      pages.unshift(page.map((m) => ({ id: m.messageID ?? m.id, text: m.body, between: `${user} ${peer}` })));
      before = pages[0]?.[0]?.id ?? '';
      if (page.length < PAGE) break;
    }
    for (const page of pages) stored.push(...page);
  }
  return stored;
}
