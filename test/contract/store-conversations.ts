import { afterEach, describe, expect, test } from 'vitest';
import { directConversation } from '../../packages/server/src/core/conversations/index.ts';
import { userStream } from '../../packages/server/src/core/journal/index.ts';
import { benches, type MakePlace } from './store-place.ts';
import { alice, bob, carol, guid, messageFrom } from './store-samples.ts';

const DAY_MS = 24 * 3_600_000;

export function conversationContract(makePlace: MakePlace): void {
  describe('conversations: append', () => append(makePlace));
  describe('conversations: idempotency', () => idempotency(makePlace));
  describe('conversations: unread', () => unread(makePlace));
}

function append(makePlace: MakePlace): void {
  const at = benches(makePlace);
  afterEach(() => at.closeAll());

  test('a message comes back as it was given; its parties need no account', async () => {
    const { store, journal, rung } = await at.open();
    const app = guid(0x777);
    const input = messageFrom(app, bob, {
      type: 'text/html',
      body: 'Grüße <b>an</b> alle 🎈\r\n\t"x"',
      attach: ['http://x/1?a=b&c', 'http://x/2'],
      data: { a: [1, { b: null }], ä: 'ö' },
    });
    const sent = await store.write('conversations.append', input);
    expect(sent).toEqual({ message: { ...input.message, seq: 1 }, isRepeat: false });
    expect(await store.read('conversations.message', { id: input.message.id })).toEqual(sent.message);
    expect(await store.read('conversations.message', { id: guid(1) as never })).toBeNull();
    const entries = [bob, app].map((user, i) => ({
      position: i + 1,
      stream: userStream(user),
      event: { kind: 'message', message: sent.message },
    }));
    expect(await journal.tail({ after: 0, limit: 9 })).toEqual(entries);
    expect(rung.flatMap((batch) => batch.entries)).toEqual(entries);
  });

  test('seq runs from 1 without gaps in each conversation, in the order of the calls, also after reopening', async () => {
    const bench = await at.open();
    const pairs = [
      [alice, bob],
      [bob, carol],
      [carol, alice],
    ] as const;
    const send = (from: number, to: number) =>
      Promise.all(
        Array.from({ length: to - from }, async (_, i) => {
          const [one, other] = pairs[(from + i) % 3]!;
          const [sender, recipient] = i % 2 === 0 ? [one, other] : [other, one];
          const { message } = await bench.store.write('conversations.append', messageFrom(sender, recipient));
          return message;
        }),
      );
    const sent = [...(await send(0, 150)), ...(await send(150, 300))];
    await bench.reopen();
    sent.push(...(await send(300, 330)));
    for (const [one, other] of pairs) {
      const own = sent.filter((message) => message.conversation === directConversation(one, other));
      expect(own.map((message) => message.seq)).toEqual(own.map((_, i) => i + 1));
    }
    expect(await bench.journal.head()).toBe(660);
  });

  test('an id that is used already is refused, alone, and takes neither seq nor position', async () => {
    const { store, journal } = await at.open();
    const first = messageFrom(alice, bob);
    await store.write('conversations.append', first);
    const [good, bad, better] = await Promise.allSettled([
      store.write('conversations.append', messageFrom(alice, bob)),
      store.write('conversations.append', messageFrom(alice, bob, { id: first.message.id })),
      store.write('conversations.append', messageFrom(alice, bob)),
    ]);
    expect(good).toMatchObject({ status: 'fulfilled', value: { message: { seq: 2 } } });
    expect(bad).toMatchObject({ status: 'rejected', reason: { code: 'store-conflict' } });
    expect(better).toMatchObject({ status: 'fulfilled', value: { message: { seq: 3 } } });
    expect(await journal.head()).toBe(6);
  });

  test('nobody to tell, nobody to keep it for: it stands all the same', async () => {
    const { store, journal } = await at.open();
    const { message } = await store.write('conversations.append', messageFrom(alice, bob, { tell: [], keepFor: [] }));
    expect(await store.read('conversations.message', { id: message.id })).toEqual(message);
    expect(await journal.head()).toBe(0);
    expect(await store.read('conversations.history', { user: alice, limit: 9 })).toEqual([]);
    expect(await store.read('conversations.unread', { user: bob })).toEqual([]);
  });
}

function idempotency(makePlace: MakePlace): void {
  const at = benches(makePlace);
  afterEach(() => at.closeAll());

  test('a key applies once: in one group, later, and after reopening', async () => {
    const bench = await at.open();
    const idem = { key: 'k1', hash: 'h1' };
    const send = () => bench.store.write('conversations.append', messageFrom(alice, bob, { idem }));
    const [first, second] = await Promise.all([send(), send()]);
    expect(first.isRepeat).toBe(false);
    expect(second).toEqual({ message: first.message, isRepeat: true });
    expect(await send()).toEqual({ message: first.message, isRepeat: true });
    await bench.reopen();
    expect(await send()).toEqual({ message: first.message, isRepeat: true });
    expect(await bench.journal.head()).toBe(2);
    expect(await bench.store.read('conversations.history', { user: bob, limit: 9 })).toEqual([first.message]);
  });

  test('the same key with another body is refused; another user may use it', async () => {
    const { store } = await at.open();
    const idem = { key: 'k 1', hash: 'h1' };
    const other = { ...idem, hash: 'h2' };
    const [, clash] = await Promise.allSettled([
      store.write('conversations.append', messageFrom(alice, bob, { idem })),
      store.write('conversations.append', messageFrom(alice, bob, { idem: other })),
    ]);
    expect(clash).toMatchObject({ status: 'rejected', reason: { code: 'idempotency-conflict' } });
    await expect(store.write('conversations.append', messageFrom(alice, bob, { idem: other }))).rejects.toMatchObject({
      code: 'idempotency-conflict',
    });
    const { isRepeat, message } = await store.write('conversations.append', messageFrom(bob, alice, { idem: other }));
    expect({ isRepeat, seq: message.seq }).toEqual({ isRepeat: false, seq: 2 });
  });

  test('a key is forgotten after a day', async () => {
    const { store, clock } = await at.open();
    const idem = { key: 'k1', hash: 'h1' };
    await store.write('conversations.append', messageFrom(alice, bob, { idem }));
    clock.advance(DAY_MS - 1);
    expect(await store.write('conversations.append', messageFrom(alice, bob, { idem }))).toMatchObject({
      isRepeat: true,
    });
    clock.advance(1);
    const next = { key: 'k1', hash: 'h2' };
    const [again, repeat] = await Promise.all([
      store.write('conversations.append', messageFrom(alice, bob, { idem: next })),
      store.write('conversations.append', messageFrom(alice, bob, { idem: next })),
    ]);
    expect([again.isRepeat, repeat.isRepeat]).toEqual([false, true]);
  });
}

function unread(makePlace: MakePlace): void {
  const at = benches(makePlace);
  afterEach(() => at.closeAll());

  test('counts what came from others, until it is read; the mark never moves back', async () => {
    const { store } = await at.open();
    const fromBob = [];
    for (let i = 0; i < 3; i++)
      fromBob.push((await store.write('conversations.append', messageFrom(bob, alice))).message);
    await store.write('conversations.append', messageFrom(alice, bob));
    const carols = (await store.write('conversations.append', messageFrom(carol, alice))).message;
    const { conversation } = fromBob[0]!;
    const counts = async () => {
      const rows = await store.read('conversations.unread', { user: alice });
      return rows.map(({ peer, unread: n }) => [peer, n]);
    };
    const [newest] = await store.read('conversations.unread', { user: alice });
    expect(newest).toEqual({ conversation: carols.conversation, peer: carol, unread: 1, lastAt: carols.at });
    expect(await counts()).toEqual([
      [carol, 1],
      [bob, 3],
    ]);
    await store.write('conversations.mark-read', { user: alice, conversation, seq: 2 });
    expect(await counts()).toEqual([
      [carol, 1],
      [bob, 1],
    ]);
    await store.write('conversations.mark-read', { user: alice, conversation, seq: 1 });
    expect(await counts()).toEqual([
      [carol, 1],
      [bob, 1],
    ]);
    await store.write('conversations.mark-read', { user: bob, conversation, seq: 99 });
    expect(await counts()).toEqual([
      [carol, 1],
      [bob, 1],
    ]);
    await store.write('conversations.mark-read', { user: alice, conversation, seq: 4 });
    await store.write('conversations.append', messageFrom(bob, alice));
    expect(await counts()).toEqual([
      [bob, 1],
      [carol, 1],
    ]);
  });

  test('a conversation that is read through stays in the list, with nothing unread', async () => {
    const { store } = await at.open();
    const { message } = await store.write('conversations.append', messageFrom(bob, alice));
    await store.write('conversations.append', messageFrom(bob, alice, { keepFor: [bob] }));
    await store.write('conversations.mark-read', { user: alice, conversation: message.conversation, seq: 1 });
    expect(await store.read('conversations.unread', { user: alice })).toEqual([
      { conversation: message.conversation, peer: bob, unread: 0, lastAt: message.at },
    ]);
  });
}
