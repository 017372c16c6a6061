import { beforeEach, describe, expect, test } from 'vitest';
import { LocationFull } from '../src/index.ts';
import type { Binding, Connection, LocationService } from '../src/index.ts';

export interface LocationUnderTest {
  /** The time, on the scale of `expiresAtMs`. */
  readonly now: () => number;
  readonly maxBindings: number;
}

const connection = (id: string): Connection => ({ id, isOpen: true, onClose: () => () => undefined });

/** What every location service does. Adapters call it with a factory of empty ones. */
export function describeLocation(name: string, open: (options: LocationUnderTest) => Promise<LocationService>): void {
  describe(`${name} as a location service`, () => {
    let nowMs = 0;
    let location: LocationService;
    beforeEach(async () => {
      nowMs = 1_000_000;
      location = await open({ now: () => nowMs, maxBindings: 10 });
    });

    const binding = (aor: string, n: number, more: Partial<Binding> = {}): Binding => ({
      aor,
      contact: `sip:phone${n}@192.0.2.1`,
      params: ';methods="INVITE"',
      q: 500,
      expiresAtMs: nowMs + 60_000,
      callId: `call${n}`,
      cseq: n,
      path: ['<sip:p;lr>'],
      ...more,
    });
    const put = (aor: string, ...bindings: Binding[]): Promise<readonly Binding[]> =>
      location.update(aor, (current) => [...current, ...bindings]);
    const contacts = async (aor: string): Promise<string[]> =>
      (await location.find(aor)).map((one) => one.contact).sort();

    test('keeps what it is given, for that address alone', async () => {
      const one = binding('sip:a@x', 1, { instanceId: '<urn:uuid:1>', regId: 2, userAgent: 'phone' });
      expect(await put('sip:a@x', one)).toEqual([one]);
      expect(await location.find('sip:a@x')).toEqual([one]);
      expect(await location.find('sip:b@x')).toEqual([]);
      expect(location.size).toBe(1);
      await location.update('sip:a@x', () => []);
      expect([await location.find('sip:a@x'), location.size]).toEqual([[], 0]);
    });

    test('changes of one address come one after the other', async () => {
      await Promise.all(Array.from({ length: 8 }, (_, n) => put('sip:a@x', binding('sip:a@x', n))));
      expect(await contacts('sip:a@x')).toHaveLength(8);
    });

    test('what a change throws goes through, and nothing is kept', async () => {
      await put('sip:a@x', binding('sip:a@x', 1));
      const refusal = new Error('no');
      const failing = location.update('sip:a@x', () => {
        throw refusal;
      });
      await expect(failing).rejects.toBe(refusal);
      expect(await contacts('sip:a@x')).toHaveLength(1);
    });

    test('what is over is found no more, nor given to a change; it is cleared away once', async () => {
      await put('sip:a@x', binding('sip:a@x', 1), binding('sip:a@x', 2, { expiresAtMs: nowMs + 90_000 }));
      await put('sip:b@x', binding('sip:b@x', 3));
      nowMs += 60_000;
      expect(await contacts('sip:a@x')).toEqual(['sip:phone2@192.0.2.1']);
      let seen = -1;
      await location.update('sip:b@x', (current) => {
        seen = current.length;
        return current;
      });
      expect(seen).toBe(0);
      const gone = (await location.expire()).map((one) => one.contact);
      expect(gone).toContain('sip:phone1@192.0.2.1');
      expect(await location.expire()).toEqual([]);
      expect(location.size).toBe(1);
    });

    test('is full: a new binding is refused, a refresh and an end are not', async () => {
      for (let n = 0; n < 10; n++) await put(`sip:u${n}@x`, binding(`sip:u${n}@x`, n));
      await expect(put('sip:new@x', binding('sip:new@x', 11))).rejects.toBeInstanceOf(LocationFull);
      await location.update('sip:u1@x', () => [binding('sip:u1@x', 1, { cseq: 99 })]);
      await location.update('sip:u2@x', () => []);
      await put('sip:new@x', binding('sip:new@x', 11));
      expect(location.size).toBe(10);
    });

    test('a connection that ends takes its bindings with it, and only those', async () => {
      const local = { address: '192.0.2.1', port: 5060 };
      const on = (id: string): Partial<Binding> => ({
        flow: { protocol: 'tcp', local, remote: local, connection: connection(id) },
      });
      await put('sip:a@x', binding('sip:a@x', 1, on('c1')), binding('sip:a@x', 2, on('c2')), binding('sip:a@x', 3));
      await put('sip:b@x', binding('sip:b@x', 4, on('c1')));
      // A phone that moved to another connection is not on the old one any more.
      await location.update('sip:b@x', () => [binding('sip:b@x', 4, on('c3'))]);
      expect((await location.dropConnection('c1')).map((one) => one.contact)).toEqual(['sip:phone1@192.0.2.1']);
      expect(await location.dropConnection('c1')).toEqual([]);
      expect([await contacts('sip:a@x'), await contacts('sip:b@x')]).toEqual([
        ['sip:phone2@192.0.2.1', 'sip:phone3@192.0.2.1'],
        ['sip:phone4@192.0.2.1'],
      ]);
    });
  });
}
