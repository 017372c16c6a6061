import type { Directory, NewUser } from './core/directory/index.ts';
import type { App } from './core/directory/index.ts';
import { Problem } from './kit/index.ts';

const PASSWORD = 'demo';

/** The accounts of the demo world (design §9): fixed, so that examples, tests and outside clients can rely on them. */
export const DEMO_USERS = [
  { name: 'alice', number: '201', displayName: 'Alice Adams' },
  { name: 'bob', number: '202', displayName: 'Bob Brown' },
  { name: 'carol', number: '203', displayName: 'Carol Cox' },
  { name: 'dora', number: '204', displayName: 'Dora Dunn', hasStorage: false },
  { name: 'admin', number: '200', displayName: 'Administrator', isAdmin: true },
] as const;

/** `secret` is the App object's password. */
const demoApps = (baseUrl: string): readonly (Omit<App, 'guid'> & { readonly secret: string })[] => {
  const plain = { url: null, hasWebsocket: false, isHidden: false, apps: [], users: 'all', secret: PASSWORD } as const;
  return [
    { ...plain, name: 'cti', displayName: 'CTI', grants: ['RCC', 'PbxApi', 'PbxTableUsers'] },
    { ...plain, name: 'chat', displayName: 'Chat', grants: ['PbxSignal', 'PbxMessages', 'PbxApi'] },
    {
      ...plain,
      name: 'services',
      displayName: 'Services',
      grants: ['Services', 'PbxApi'],
      apps: ['messages', 'echo'],
      users: 'listed',
    },
    { ...plain, name: 'pbxadmin', displayName: 'Administration', grants: ['PbxAdminApi'], users: 'listed' },
    { ...plain, name: 'messages', displayName: 'Messages', grants: [], url: `${baseUrl}/messages/messages` },
    {
      ...plain,
      name: 'echo',
      displayName: 'Echo',
      grants: [],
      url: `${baseUrl}/echo/echo`,
      hasWebsocket: true,
      secret: 'geheim-ä',
    },
  ];
};

/** Application sessions of the Tapi Messenger surface, with their users. */
const APPLICATION_SESSIONS = { 1001: 'alice', 1002: 'bob' } as const;
/** Users with a SIP telephone; its id and digest user is the number. */
const SIP_USERS = ['alice', 'bob', 'carol'] as const;

/** Makes the demo world in an empty directory. Several nodes may try at once: what is there already is left as it is. */
export async function createDemoWorld(directory: Directory, baseUrl: string): Promise<void> {
  for (const account of DEMO_USERS) await unlessTaken(directory.addUser(demoUser(account)));
  for (const name of SIP_USERS) {
    const user = await directory.requireUser({ by: 'name', value: name });
    const device = { id: user.number ?? name, user: user.id, kind: 'sip', label: 'Telephone' } as const;
    await unlessTaken(directory.addDevice(device, PASSWORD));
  }
  for (const { secret, ...app } of demoApps(baseUrl)) await unlessTaken(directory.addApp(app, secret));
  for (const [session, name] of Object.entries(APPLICATION_SESSIONS)) {
    const user = await directory.requireUser({ by: 'name', value: name });
    await directory.setApplicationSession(session, user.id);
  }
}

function demoUser(account: (typeof DEMO_USERS)[number]): NewUser {
  return { ...account, password: PASSWORD, digestSecret: PASSWORD, email: `${account.name}@example.test` };
}

async function unlessTaken(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    const isThere = error instanceof Problem && (error.code === 'name-taken' || error.code === 'number-taken');
    if (!isThere) throw error;
  }
}
