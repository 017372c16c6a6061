import { afterEach, describe, expect, test } from 'vitest';
import { directoryStream } from '../../packages/server/src/core/journal/index.ts';
import { benches, type MakePlace } from './store-place.ts';
import { alice, appNamed, bob, carol, contactOf, guid, messageFrom, userNamed } from './store-samples.ts';

export function directoryContract(makePlace: MakePlace): void {
  describe('directory: users', () => users(makePlace));
  describe('directory: names', () => names(makePlace));
  describe('directory: devices, App objects, groups, contacts', () => others(makePlace));
}

function users(makePlace: MakePlace): void {
  const at = benches(makePlace);
  afterEach(() => at.closeAll());

  test('a user is found by id, name, number and cn, with its device and secrets', async () => {
    const { store } = await at.open();
    expect(await store.read('directory.is-empty', null)).toBe(true);
    const input = {
      ...userNamed('alice', alice, { number: '201', email: 'a@example.test', apps: ['cti'] }),
      sealedMyApps: 's',
    };
    const added = await store.write('directory.add-user', input);
    expect(added).toEqual({ ...input.user, cn: 'Alice' });
    for (const key of [
      { by: 'id', value: alice },
      { by: 'name', value: 'alice' },
      { by: 'number', value: '201' },
      { by: 'cn', value: 'Alice' },
    ] as const)
      expect(await store.read('directory.user', key)).toEqual(added);
    expect(await store.read('directory.user', { by: 'name', value: 'nobody' })).toBeNull();
    expect(await store.read('directory.secrets', { id: alice })).toEqual({
      passwordHash: 'argon2id$alice',
      sealedMyApps: 's',
    });
    expect(await store.read('directory.secrets', { id: bob })).toBeNull();
    const device = { id: 'chat-alice', user: alice, kind: 'chat', label: 'Chat' };
    expect(await store.read('directory.devices', { user: alice })).toEqual([device]);
    expect(await store.read('directory.device', { id: 'chat-alice' })).toEqual({ device, secret: 'sealed-alice' });
    expect(await store.read('directory.is-empty', null)).toBe(false);
  });

  test('the cn is unique: on collision the name is added', async () => {
    const { store } = await at.open();
    const same = { displayName: 'Ann Lee' };
    const cns = [];
    for (const [i, name] of ['ann', 'ann2', 'ann3'].entries())
      cns.push((await store.write('directory.add-user', userNamed(name, guid(i + 1), same))).cn);
    expect(cns).toEqual(['Ann Lee', 'Ann Lee (ann2)', 'Ann Lee (ann3)']);
    const thief = userNamed('bert', guid(9), { displayName: 'Ann Lee (ann4)' });
    await store.write('directory.add-user', thief);
    const { cn } = await store.write('directory.add-user', userNamed('ann4', guid(10), same));
    expect(cn).not.toBe('Ann Lee (ann4)');
    expect(await store.read('directory.user', { by: 'cn', value: cn })).toMatchObject({ name: 'ann4' });
  });

  test('a change leaves absent members alone, and follows the display name', async () => {
    const { store } = await at.open();
    const added = await store.write('directory.add-user', userNamed('alice', alice, { number: '201' }));
    const changed = await store.write('directory.change-user', {
      id: alice,
      change: { displayName: 'Alice Adams', isLocked: true },
    });
    expect(changed).toEqual({ ...added, displayName: 'Alice Adams', cn: 'Alice Adams', isLocked: true });
    expect(await store.read('directory.secrets', { id: alice })).toMatchObject({ passwordHash: 'argon2id$alice' });
    await store.write('directory.change-user', { id: alice, change: {}, secrets: { passwordHash: 'new' } });
    expect(await store.read('directory.secrets', { id: alice })).toMatchObject({ passwordHash: 'new' });
    expect(await store.write('directory.change-user', { id: alice, change: { number: null } })).toMatchObject({
      number: null,
      cn: 'Alice Adams',
    });
    await expect(store.write('directory.change-user', { id: bob, change: {} })).rejects.toMatchObject({
      code: 'unknown-user',
    });
  });

  test('a removed user takes devices, contacts, memberships and stream along; messages stay', async () => {
    const { store } = await at.open();
    for (const [name, id] of [
      ['alice', alice],
      ['bob', bob],
    ] as const)
      await store.write('directory.add-user', userNamed(name, id));
    await store.write('directory.add-group', { group: { name: 'staff', description: '', members: [alice, bob] } });
    await store.write('directory.set-contact', { contacts: [contactOf(alice, bob), contactOf(bob, alice)] });
    await store.write('directory.set-application-session', { session: '1', user: bob });
    await store.write('presence.state', { user: bob, stated: { contact: 'im:', activity: 'busy', note: '', at: 1 } });
    await store.write('directory.open-stream', { stream: { id: 's', user: bob, resource: 'r', openedAt: 1 } });
    const sent = await store.write('conversations.append', messageFrom(bob, alice));
    await store.write('directory.remove-user', { id: bob });
    expect(await store.read('directory.user', { by: 'id', value: bob })).toBeNull();
    expect(await store.read('directory.devices', { user: bob })).toEqual([]);
    expect(await store.read('directory.contacts', { owner: alice })).toEqual([]);
    expect(await store.read('directory.groups', null)).toMatchObject([{ members: [alice] }]);
    expect(await store.read('directory.stream', { by: 'user', user: bob })).toBeNull();
    expect(await store.read('directory.application-session', { session: '1' })).toBeNull();
    expect(await store.read('presence.stated', { user: bob })).toEqual([]);
    expect(await store.read('conversations.history', { user: alice, limit: 9 })).toEqual([sent.message]);
    await store.write('directory.add-user', userNamed('bob', carol));
    await expect(store.write('directory.remove-user', { id: bob })).rejects.toMatchObject({ code: 'unknown-user' });
  });

  test('users come in cn order, page by page, searched without regard to case', async () => {
    const { store } = await at.open();
    const rows = [
      ['zoe', 'Zoë Özil', '17'],
      ['al', 'Al 100%', '18'],
      ['bo', 'Bo_b', '19'],
    ] as const;
    for (const [i, [name, displayName, number]] of rows.entries())
      await store.write(
        'directory.add-user',
        userNamed(name, guid(i + 1), { displayName, number, email: `${name}@X.test` }),
      );
    const ask = async (search: string | null, after: string | null = null, limit = 10) =>
      (await store.read('directory.users', { search, after, limit })).map((user) => user.name);
    expect(await ask(null)).toEqual(['al', 'bo', 'zoe']);
    expect(await ask(null, null, 2)).toEqual(['al', 'bo']);
    expect(await ask(null, 'Bo_b')).toEqual(['zoe']);
    expect(await ask('ÖZIL')).toEqual(['zoe']);
    expect(await ask('17')).toEqual(['zoe']);
    expect(await ask('@x.TEST')).toEqual(['al', 'bo', 'zoe']);
    expect(await ask('%')).toEqual(['al']);
    expect(await ask('o_')).toEqual(['bo']);
    expect(await ask('\\')).toEqual([]);
  });
}

function names(makePlace: MakePlace): void {
  const at = benches(makePlace);
  afterEach(() => at.closeAll());

  test('users, App objects and groups share one namespace', async () => {
    const { store } = await at.open();
    await store.write('directory.add-user', userNamed('one', guid(1)));
    await store.write('directory.add-app', appNamed('two'));
    await store.write('directory.add-group', { group: { name: 'three', description: '', members: [] } });
    for (const name of ['one', 'two', 'three']) {
      const taken = { code: 'name-taken', subject: name };
      await expect(
        store.write('directory.add-user', {
          ...userNamed(name, guid(7)),
          device: { id: 'other', user: guid(7), kind: 'chat', label: '', secret: '' },
        }),
      ).rejects.toMatchObject(taken);
      await expect(store.write('directory.add-app', appNamed(name))).rejects.toMatchObject(taken);
      const group = { name, description: '', members: [] };
      await expect(store.write('directory.add-group', { group })).rejects.toMatchObject(taken);
    }
    await store.write('directory.add-user', userNamed('four', guid(4)));
    await expect(store.write('directory.change-user', { id: guid(4), change: { name: 'two' } })).rejects.toMatchObject({
      code: 'name-taken',
    });
    await store.write('directory.change-user', { id: guid(4), change: { name: 'five' } });
    await store.write('directory.add-app', appNamed('four'));
  });

  test('a number has one owner, a device id one device', async () => {
    const { store } = await at.open();
    await store.write('directory.add-user', userNamed('alice', alice, { number: '201' }));
    await expect(store.write('directory.add-user', userNamed('bob', bob, { number: '201' }))).rejects.toMatchObject({
      code: 'number-taken',
      subject: '201',
    });
    await store.write('directory.add-user', userNamed('bob', bob));
    await expect(store.write('directory.change-user', { id: bob, change: { number: '201' } })).rejects.toMatchObject({
      code: 'number-taken',
    });
    await store.write('directory.change-user', { id: alice, change: { number: '201' } });
    const device = { id: 'chat-alice', user: bob, kind: 'phone', label: '' } as const;
    await expect(store.write('directory.add-device', { device, secret: '' })).rejects.toMatchObject({
      code: 'name-taken',
    });
  });

  test('a unit that fails leaves nothing behind', async () => {
    const { store, journal } = await at.open();
    await store.write('directory.add-user', userNamed('alice', alice));
    const head = await journal.head();
    const clash = { ...userNamed('bob', bob), device: { ...userNamed('alice', alice).device, user: bob } };
    await expect(store.write('directory.add-user', clash)).rejects.toMatchObject({ code: 'name-taken' });
    const stranger = { group: { name: 'staff', description: '', members: [alice, carol] } };
    await expect(store.write('directory.add-group', stranger)).rejects.toMatchObject({ code: 'unknown-user' });
    expect(await journal.head()).toBe(head);
    expect(await store.read('directory.user', { by: 'id', value: bob })).toBeNull();
    expect(await store.read('directory.groups', null)).toEqual([]);
    await store.write('directory.add-user', userNamed('bob', bob));
    await store.write('directory.add-group', { group: { name: 'staff', description: '', members: [] } });
  });
}

function others(makePlace: MakePlace): void {
  const at = benches(makePlace);
  afterEach(() => at.closeAll());

  test('sealed secrets are listed by owner, and replaced only where nothing else came in between', async () => {
    const { store, journal } = await at.open();
    await store.write('directory.add-user', { ...userNamed('alice', alice), sealedMyApps: 's1' });
    await store.write('directory.add-user', userNamed('bob', bob));
    await store.write('directory.add-app', appNamed('cti'));
    const sealed = (kind: 'user' | 'device' | 'app', after: string | null = null, limit = 10) =>
      store.read('directory.sealed', { kind, after, limit });
    expect(await sealed('user')).toEqual([{ owner: alice, secret: 's1' }]);
    const devices = [
      { owner: 'chat-alice', secret: 'sealed-alice' },
      { owner: 'chat-bob', secret: 'sealed-bob' },
    ];
    expect(await sealed('device')).toEqual(devices);
    expect(await sealed('device', null, 1)).toEqual(devices.slice(0, 1));
    expect(await sealed('device', 'chat-alice')).toEqual(devices.slice(1));
    expect(await sealed('app')).toEqual([{ owner: 'cti', secret: 'sealed-cti' }]);

    const head = await journal.head();
    const replaced = await store.write('directory.reseal', {
      kind: 'device',
      secrets: [
        { owner: 'chat-alice', from: 'sealed-alice', to: 'anew' },
        { owner: 'chat-bob', from: 'what stood there before', to: 'anew' },
        { owner: 'nobody', from: 'x', to: 'y' },
      ],
    });
    expect(replaced).toBe(1);
    expect(await sealed('device')).toEqual([{ owner: 'chat-alice', secret: 'anew' }, devices[1]]);
    await store.write('directory.reseal', { kind: 'user', secrets: [{ owner: alice, from: 's1', to: 's2' }] });
    await store.write('directory.reseal', { kind: 'app', secrets: [{ owner: 'cti', from: 'sealed-cti', to: 'c2' }] });
    expect(await store.read('directory.secrets', { id: alice })).toMatchObject({ sealedMyApps: 's2' });
    expect(await store.read('directory.app', { name: 'cti' })).toMatchObject({ secret: 'c2' });
    expect(await journal.head()).toBe(head);
  });

  test('devices, App objects and groups come back as they were given', async () => {
    const { store } = await at.open();
    await store.write('directory.add-user', userNamed('alice', alice));
    const device = { id: '201', user: alice, kind: 'sip', label: 'Desk' } as const;
    await store.write('directory.add-device', { device, secret: 'sealed' });
    expect(await store.read('directory.device', { id: '201' })).toEqual({ device, secret: 'sealed' });
    expect((await store.read('directory.devices', { user: alice })).map(({ id }) => id)).toEqual(['201', 'chat-alice']);
    const app = appNamed('services', {
      url: 'http://x/y',
      hasWebsocket: true,
      apps: ['messages'],
      users: 'listed',
      isHidden: true,
    });
    await store.write('directory.add-app', app);
    expect(await store.read('directory.app', { name: 'services' })).toEqual(app);
    expect(await store.read('directory.app', { name: 'alice' })).toBeNull();
    expect(await store.read('directory.apps', null)).toEqual([app.app]);
    const group = { name: 'staff', description: 'All of us', members: [alice] };
    await store.write('directory.add-group', { group });
    expect(await store.read('directory.groups', null)).toEqual([group]);
  });

  test('contacts are set side by side, replaced and removed', async () => {
    const { store } = await at.open();
    for (const [name, id] of [
      ['alice', alice],
      ['bob', bob],
      ['carol', carol],
    ] as const)
      await store.write('directory.add-user', userNamed(name, id));
    await store.write('directory.set-contact', {
      contacts: [contactOf(alice, bob), contactOf(bob, alice, { subscription: 1 })],
    });
    const changed = contactOf(alice, bob, { nickname: 'Bobby', groups: ['Work'], subscription: 0 });
    await store.write('directory.set-contact', { contacts: [changed] });
    expect(await store.read('directory.contacts', { owner: alice })).toEqual([changed]);
    expect(await store.read('directory.listed-by', { contact: alice })).toEqual([
      contactOf(bob, alice, { subscription: 1 }),
    ]);
    await expect(
      store.write('directory.set-contact', { contacts: [contactOf(alice, carol), contactOf(alice, guid(99))] }),
    ).rejects.toMatchObject({ code: 'unknown-user' });
    expect(await store.read('directory.contacts', { owner: alice })).toEqual([changed]);
    await store.write('directory.remove-contact', { owner: alice, contact: bob });
    expect(await store.read('directory.contacts', { owner: alice })).toEqual([]);
    await expect(store.write('directory.remove-contact', { owner: alice, contact: bob })).rejects.toMatchObject({
      code: 'unknown-contact',
    });
  });

  test('an application session belongs to its latest user', async () => {
    const { store } = await at.open();
    for (const [name, id] of [
      ['alice', alice],
      ['bob', bob],
    ] as const)
      await store.write('directory.add-user', userNamed(name, id));
    await store.write('directory.set-application-session', { session: '1001', user: alice });
    expect(await store.read('directory.application-session', { session: '1001' })).toBe(alice);
    await store.write('directory.set-application-session', { session: '1001', user: bob });
    expect(await store.read('directory.application-session', { session: '1001' })).toBe(bob);
    expect(await store.read('directory.application-session', { session: '?' })).toBeNull();
  });

  test('each change appends one entry that says what changed', async () => {
    const { store, journal } = await at.open();
    await store.write('directory.add-user', userNamed('alice', alice));
    await store.write('directory.add-user', userNamed('bob', bob));
    await store.write('directory.change-user', { id: bob, change: { isLocked: true } });
    await store.write('directory.add-device', { device: { id: '9', user: bob, kind: 'sip', label: '' }, secret: '' });
    await store.write('directory.add-app', appNamed('cti'));
    await store.write('directory.add-group', { group: { name: 'staff', description: '', members: [] } });
    await store.write('directory.set-contact', { contacts: [contactOf(alice, bob)] });
    await store.write('directory.set-application-session', { session: '1', user: bob });
    await store.write('directory.remove-user', { id: bob });
    const { entries } = await journal.range({ streams: [directoryStream], after: 0, until: 99, limit: 99 });
    expect(entries.map(({ event }) => event.kind === 'directory' && `${event.what} ${event.id}`)).toEqual([
      `user ${alice}`,
      `user ${bob}`,
      `user ${bob}`,
      'device 9',
      'app cti',
      'group staff',
      `contact ${alice}`,
      `user ${bob}`,
    ]);
  });
}
