import { expect, test } from 'vitest';
import { FaultCluster } from '../load/faults/cluster.ts';
import { runWithFaults } from '../load/faults/run.ts';
import { describeWithPeers } from '../kit/peer.ts';
import { POSTGRES_PROGRAMS } from '../kit/postgres.ts';
import { scaled } from '../kit/scale.ts';

const MESSAGES = scaled({ verify: 1_500, soak: 20_000 });

describeWithPeers([...POSTGRES_PROGRAMS, 'nats-server'], 'two nodes and what goes wrong', () => {
  test(
    `${MESSAGES} messages over all surfaces while nodes, NATS and PostgreSQL die: nothing lost, nothing out of order`,
    { timeout: 600_000 },
    async () => {
      await using cluster = await FaultCluster.start(2);
      const lines: string[] = [];
      const result = await runWithFaults({
        doors: cluster,
        faults: cluster.faults(),
        messages: MESSAGES,
        log: (line) => lines.push(line),
      });
      expect(result, lines.join('\n')).toMatchObject({
        lost: 0,
        notStored: 0,
        outOfOrder: 0,
        unmarkedRepeats: 0,
        resets: 0,
        missing: [],
      });
      expect(result.acknowledged).toBe(result.sent);
      expect(result.sent).toBeGreaterThan(MESSAGES);
      // Two lose node 2, and then all four, who are on node 1 by now, lose that.
      expect(result.returns).toBeGreaterThanOrEqual(6);
      const rows = await cluster.rows();
      expect(rows['messages']).toBe(result.sent);
      expect(rows['entries']).toBeGreaterThanOrEqual(2 * result.sent);
    },
  );
});
