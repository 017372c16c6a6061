import { expect, test } from 'vitest';
import { alice, bob, messageFrom } from '../../../../../test/contract/store-samples.ts';
import { ManualClock, reasonOf } from '../../kit/index.ts';
import type { LinkEvents } from './link.ts';
import type { WriterReply } from './wire.ts';
import { MAX_WAITING_CHARACTERS, WriteDesk } from './write-desk.ts';

test.each([
  ['text', { body: 'x'.repeat(1_000_000) }],
  ['attached URLs', { body: '', attach: ['x'.repeat(600_000), 'x'.repeat(400_000)] }],
])(
  'large messages that wait (%s) are bounded by their size, and there is room again when they are decided',
  async (_, message) => {
    let down: LinkEvents<WriterReply>['onDown'] = () => undefined;
    const desk = new WriteDesk({
      link(events) {
        down = events.onDown;
        const close = (): Promise<void> => Promise.resolve();
        return {
          open: () => Promise.resolve(undefined),
          isOpen: true,
          isDown: false,
          restarts: 0,
          post: () => undefined,
          close,
        };
      },
      clock: new ManualClock(),
      log: { warn: () => undefined },
      onBatch: () => undefined,
    });
    const write = (): Promise<string> =>
      desk.write('conversations.append', messageFrom(alice, bob, message)).then(
        () => 'done',
        (error: unknown) => reasonOf(error),
      );
    const room = Math.floor(MAX_WAITING_CHARACTERS / 1_000_000);
    const taken = Array.from({ length: room }, write);
    expect(await write()).toContain('too many changes wait');
    down('it is gone');
    await Promise.all(taken);
    const again = write();
    down('it is gone');
    expect(await again).not.toContain('too many changes wait');
  },
);
