import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { pinned } from '../subject/pinned.ts';
import type { Drive, LoadSpec } from './load.ts';
import type { Answer, Order, RunResult } from './process.ts';

/** The load agent, seen from the bench. One order at a time. */
export class Agent implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #died: Promise<never>;

  constructor() {
    const [program, ...args] = pinned('agent', [
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      new URL('./process.ts', import.meta.url).pathname,
    ]);
    this.#child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], serialization: 'advanced' });
    this.#died = once(this.#child, 'exit').then(([code]) => {
      throw new Error(`the load agent ended with ${String(code)}`);
    });
    this.#died.catch(() => undefined);
  }

  async open(spec: LoadSpec): Promise<AgentLoad> {
    return new AgentLoad(Number(await this.#order({ do: 'open', spec })), (order) => this.#order(order));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.disconnect();
    await exited;
  }

  async #order(order: Order): Promise<unknown> {
    const answered = once(this.#child, 'message') as Promise<[Answer]>;
    this.#child.send(order);
    const [answer] = await Promise.race([answered, this.#died]);
    if ('error' in answer) throw new Error(`the load agent: ${answer.error}`);
    return answer.ok;
  }
}

/** A load that the agent has opened. */
export class AgentLoad {
  readonly #load: number;
  readonly #order: (order: Order) => Promise<unknown>;

  constructor(load: number, order: (order: Order) => Promise<unknown>) {
    this.#load = load;
    this.#order = order;
  }

  async start(drive: Drive): Promise<void> {
    await this.#order({ do: 'start', load: this.#load, drive });
  }

  async stop(): Promise<RunResult> {
    return (await this.#order({ do: 'stop', load: this.#load })) as RunResult;
  }

  async grow(count: number): Promise<void> {
    await this.#order({ do: 'grow', load: this.#load, count });
  }

  async close(): Promise<void> {
    await this.#order({ do: 'close', load: this.#load });
  }
}
