import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';

/** A process under test. */
export class Subject implements AsyncDisposable {
  private readonly child: ChildProcess;

  constructor(...args: readonly string[]) {
    this.child = fork(new URL('./subject.ts', import.meta.url), args, {
      execArgv: ['--conditions=source', '--disable-warning=ExperimentalWarning'],
    });
  }

  /** The next message with this member. */
  async told<T>(member: string): Promise<T> {
    for (;;) {
      const [message] = (await once(this.child, 'message')) as [Record<string, unknown>];
      if (member in message) return message[member] as T;
    }
  }

  order(order: object): void {
    this.child.send(order);
  }

  /** Seconds of processor time so far, all threads. */
  async cpuSeconds(): Promise<number> {
    const told = this.told<number>('cpuSeconds');
    this.order({ order: 'usage' });
    return told;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.child, 'exit');
    this.child.kill();
    await exited;
  }
}
