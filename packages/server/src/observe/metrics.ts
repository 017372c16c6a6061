import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';
import { Counter, Gauge, Registry } from 'prom-client';

/** What the store tells about itself. */
export interface StoreReading {
  readonly commits: number;
  readonly units: number;
  readonly queueDepth: number;
}

/** The figures of one node, in a registry of its own. Names begin with `tieline_` and never carry what a peer chose. */
export interface Metrics {
  readonly opened: Counter<'surface'>;
  readonly closed: Counter<'surface'>;
  readonly logins: Counter<'surface' | 'result'>;
  readonly limitHits: Counter<'surface' | 'limit'>;
  readonly slowReaders: Counter<'surface'>;
  readonly troubles: Counter<'surface'>;
  /** Counts one more message of this surface. For every message: it costs an addition. */
  messagesOf(surface: string): () => void;
  /** A figure that is read when somebody asks. `kind` is what Prometheus is told. */
  watch(figure: {
    readonly name: string;
    readonly help: string;
    readonly kind: 'counter' | 'gauge';
    readonly read: () => number | Promise<number>;
  }): void;
  watchStore(read: () => StoreReading): void;
  watchDelivery(sessions: () => number): void;
  watchCalls(live: () => number): void;
  /** The text that Prometheus reads, and its type. */
  read(): Promise<{ readonly contentType: string; readonly text: string }>;
  close(): void;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const lag = monitorEventLoopDelay({ resolution: 10 });
  lag.enable();
  const counter = <T extends string>(name: string, help: string, labelNames: readonly T[]): Counter<T> =>
    new Counter<T>({ name: `tieline_${name}`, help, labelNames, registers });

  const opened = counter('sessions_opened_total', 'Sessions and connections that were opened.', ['surface']);
  const closed = counter('sessions_closed_total', 'Sessions and connections that ended.', ['surface']);
  const watch: Metrics['watch'] = ({ name, help, kind, read }) => {
    // Counters kept elsewhere are set to what they stand at; Prometheus itself sees a restart as a reset.
    if (kind === 'gauge')
      new Gauge({
        name: `tieline_${name}`,
        help,
        registers,
        async collect() {
          this.set(await read());
        },
      });
    else
      new Counter({
        name: `tieline_${name}`,
        help,
        registers,
        async collect() {
          const value = await read();
          this.reset();
          this.inc(value);
        },
      });
  };
  watchProcess(watch, lag);
  countResources(registers);

  return {
    opened,
    closed,
    logins: counter('logins_total', 'Logins by result.', ['surface', 'result']),
    limitHits: counter('limit_hits_total', 'Bounds that a peer ran into, by name.', ['surface', 'limit']),
    slowReaders: counter('slow_readers_total', 'Readers disconnected because they did not read.', ['surface']),
    troubles: counter('troubles_total', "Failures that were no peer's doing.", ['surface']),
    messagesOf: countMessages(registers),
    watch,
    watchStore(read) {
      watch({ name: 'store_commits_total', help: 'Commits.', kind: 'counter', read: () => read().commits });
      watch({ name: 'store_units_total', help: 'Units of work.', kind: 'counter', read: () => read().units });
      watch({
        name: 'store_queue_depth',
        help: 'Units that wait for their commit.',
        kind: 'gauge',
        read: () => read().queueDepth,
      });
    },
    watchDelivery(sessions) {
      watch({ name: 'delivery_sessions', help: 'Sessions that events go to.', kind: 'gauge', read: sessions });
    },
    watchCalls(live) {
      watch({ name: 'calls_live', help: 'Calls that have not ended.', kind: 'gauge', read: live });
    },
    read: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
    close: () => lag.disable(),
  };
}

function countMessages(registers: Registry[]): Metrics['messagesOf'] {
  const counts = new Map<string, { messages: number }>();
  new Counter({
    name: 'tieline_messages_sent_total',
    help: 'Messages accepted, by the surface of their sender.',
    labelNames: ['surface'],
    registers,
    collect() {
      this.reset();
      for (const [surface, { messages }] of counts) this.inc({ surface }, messages);
    },
  });
  return (surface) => {
    const count = counts.get(surface) ?? { messages: 0 };
    counts.set(surface, count);
    return () => {
      count.messages++;
    };
  };
}

function countResources(registers: Registry[]): void {
  new Gauge({
    name: 'tieline_process_active_resources',
    help: 'Sockets, timers and other resources that keep the process going, by type.',
    labelNames: ['type'],
    registers,
    collect() {
      this.reset();
      for (const type of process.getActiveResourcesInfo()) this.inc({ type });
    },
  });
}

function watchProcess(watch: Metrics['watch'], lag: IntervalHistogram): void {
  const gauge = (name: string, help: string, read: () => number): void => watch({ name, help, kind: 'gauge', read });
  const seconds = (nanoseconds: number): number => (Number.isFinite(nanoseconds) ? nanoseconds / 1e9 : 0);
  gauge('event_loop_lag_p50_seconds', 'Event loop delay since the last reading, median.', () =>
    seconds(lag.percentile(50)),
  );
  gauge('event_loop_lag_p99_seconds', 'The same, 99th percentile.', () => seconds(lag.percentile(99)));
  gauge('event_loop_lag_max_seconds', 'The same, longest.', () => {
    const longest = seconds(lag.max);
    lag.reset();
    return longest;
  });
  gauge('process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss());
  gauge('process_heap_used_bytes', 'Used heap.', () => process.memoryUsage().heapUsed);
  gauge('process_external_memory_bytes', 'Memory of buffers.', () => process.memoryUsage().external);
  gauge('process_start_time_seconds', 'Start, in seconds since 1970.', () => Date.now() / 1000 - process.uptime());
  watch({
    name: 'process_cpu_seconds_total',
    help: 'CPU time, user and system, all threads.',
    kind: 'counter',
    read: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    },
  });
}
