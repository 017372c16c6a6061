import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { WebSocket } from 'ws';

/** The debugger's door of a Node process, opened by SIGUSR1 when it is first asked for. */
export class Inspector {
  readonly #child: ChildProcess;
  readonly #url = Promise.withResolvers<string>();
  #socket: Promise<WebSocket> | null = null;
  #id = 0;
  #output = '';

  constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** What the process prints: the address stands in it. */
  heard(text: string): void {
    this.#output = (this.#output + text).slice(-1_000);
    const [url] = /ws:\/\/127\.0\.0\.1:\S+/.exec(this.#output) ?? [];
    if (url !== undefined && this.#output.includes(`${url}\n`)) this.#url.resolve(url);
  }

  /** Clears garbage away. Twice: the first pass lets go of what the second frees. */
  async collectGarbage(): Promise<void> {
    for (let i = 0; i < 2; i++) await this.#ask('HeapProfiler.collectGarbage');
  }

  /** Profiles the processor's time until the returned function is called, which gives the profile as JSON. */
  async profile(): Promise<() => Promise<string>> {
    await this.#ask('Profiler.enable');
    await this.#ask('Profiler.setSamplingInterval', { interval: 500 });
    await this.#ask('Profiler.start');
    return async () => JSON.stringify((await this.#ask('Profiler.stop'))['profile']);
  }

  close(): void {
    this.#socket?.then(
      (socket) => socket.terminate(),
      () => undefined,
    );
  }

  async #ask(method: string, params: object = {}): Promise<Record<string, unknown>> {
    const socket = await (this.#socket ??= this.#open());
    const id = ++this.#id;
    socket.send(JSON.stringify({ id, method, params }));
    for (;;) {
      const [data] = (await once(socket, 'message')) as [Buffer];
      const answer = JSON.parse(data.toString('utf8')) as { id?: number; result?: Record<string, unknown> };
      if (answer.id === id) return answer.result ?? {};
    }
  }

  async #open(): Promise<WebSocket> {
    this.#child.kill('SIGUSR1');
    const socket = new WebSocket(await this.#url.promise, { maxPayload: 1024 ** 3 });
    await once(socket, 'open');
    return socket;
  }
}
