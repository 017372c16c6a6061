import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { FrameInput } from './frame-input.ts';
import { MAX_FRAMES_PER_TURN } from './limits.ts';
import { defaultFrameLimits } from './stomp/frame.ts';

test('frames that wait for nothing leave others their turn too, one by one or together', async () => {
  for (const frames of [1, 100]) {
    let handled = 0;
    const input = new FrameInput({
      connection: { pause: () => undefined, resume: () => undefined },
      limits: defaultFrameLimits,
      maxMessageBytes: 262_144,
      isOver: () => false,
      handle: () => void handled++,
      overflow: () => expect.unreachable(),
      failed: (error) => expect.unreachable(String(error)),
    });
    const all = 3 * MAX_FRAMES_PER_TURN;
    for (let fed = 0; fed < all; fed += frames) input.feed('SEND\n\n\0'.repeat(Math.min(frames, all - fed)));
    for (let turn = 1; turn <= 3; turn++) {
      expect(handled).toBe(turn * MAX_FRAMES_PER_TURN);
      await nextTurn();
    }
  }
});
