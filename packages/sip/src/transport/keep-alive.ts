import { systemClock } from '../clock/index.ts';
import type { Clock, Timer } from '../clock/index.ts';
import type { Endpoint, Flow } from './port.ts';

export interface KeepAliveOptions {
  readonly flow: Flow;
  /** RFC 5626 4.4.1: 120 s on connections, 25 s by UDP through NATs; the registrar's Flow-Timer goes first. */
  readonly intervalMs: number;
  /** RFC 5626 4.4.1: ten seconds. */
  readonly timeoutMs?: number;
  readonly clock?: Clock;
  /** Called once when an answer stays out: the flow is dead. */
  readonly onDead: () => void;
  /** Hears what address the peer sees; a change means that the NAT forgot us (RFC 5626 4.4.2). */
  readonly onMapped?: (mapped: Endpoint) => void;
}

interface Prober {
  probe(flow: Flow, timeoutMs: number): Promise<Endpoint | undefined>;
}

/** Keeps a flow alive by pings until closed. The interval is shortened at random by up to a fifth (RFC 5626 4.4.1). */
export function keepAlive(prober: Prober, options: KeepAliveOptions): { close(): void } {
  const clock = options.clock ?? systemClock;
  let timer: Timer | undefined;
  let isOver = false;
  const schedule = (): void => {
    const delayMs = options.intervalMs * (1 - 0.2 * Math.random());
    timer = clock.after(delayMs, () => {
      prober.probe(options.flow, options.timeoutMs ?? 10_000).then(
        (mapped) => {
          if (isOver) return;
          if (mapped !== undefined) options.onMapped?.(mapped);
          schedule();
        },
        () => {
          if (isOver) return;
          isOver = true;
          options.onDead();
        },
      );
    });
  };
  schedule();
  return {
    close() {
      isOver = true;
      timer?.cancel();
    },
  };
}
