import { until } from '../../kit/wait.ts';

/** What of a node tells of growth. */
export interface NodeFigures {
  readonly rssMiB: number;
  /** Sockets, timers and the like. */
  readonly handles: number;
}

/** Caches and pools fill once; what goes on growing is past this before long. */
const MAX_RSS_GROWTH_MIB = 96;
const MAX_HANDLE_GROWTH = 8;
/** Rows that each message may leave, by table. */
const ROWS_A_MESSAGE: Readonly<Record<string, number>> = { messages: 1, idempotency: 1, entries: 2, mailbox: 2 };
/** Rows of every table that has to do with users, nodes and calls, and of what comes beside the entries of messages. */
const MAX_OTHER_ROWS = 100;
/** Sessions that have ended linger, HTTP connections are kept for a minute, and nodes that are new settle. */
const SETTLE_MS = 120_000;

/** The nodes' figures once they have come to rest, or as they are after two minutes. */
export async function atRest(
  before: readonly NodeFigures[],
  figures: () => Promise<readonly NodeFigures[]>,
): Promise<readonly NodeFigures[]> {
  let last = await figures();
  const isAtRest = async (): Promise<boolean> => {
    last = await figures();
    return last.every(({ handles }, i) => handles <= (before[i]?.handles ?? 0) + MAX_HANDLE_GROWTH);
  };
  await until(isAtRest, 'the nodes to come to rest', SETTLE_MS).catch(() => undefined);
  return last;
}

/** What has grown beyond what was stored, in words. */
export function growth(
  before: readonly NodeFigures[],
  after: readonly NodeFigures[],
  rows: Readonly<Record<string, number>>,
  messages: number,
): readonly string[] {
  const nodes = after.flatMap(({ rssMiB, handles }, i) => {
    const was = before[i] ?? { rssMiB: 0, handles: 0 };
    return [
      ...(rssMiB > was.rssMiB + MAX_RSS_GROWTH_MIB ? [`node ${i + 1}: memory, by ${rssMiB - was.rssMiB} MiB`] : []),
      ...(handles > was.handles + MAX_HANDLE_GROWTH ? [`node ${i + 1}: handles, by ${handles - was.handles}`] : []),
    ];
  });
  const tables = Object.entries(rows).flatMap(([table, count]) => {
    const due = (ROWS_A_MESSAGE[table] ?? 0) * messages + MAX_OTHER_ROWS;
    return count > due ? [`table ${table}: ${count} rows`] : [];
  });
  return [...nodes, ...tables];
}
