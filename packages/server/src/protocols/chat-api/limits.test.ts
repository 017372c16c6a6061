import { expect, test } from 'vitest';
import type { Contact, User } from '../../core/directory/index.ts';
import type { UserId } from '../../core/journal/index.ts';
import { MAX_CONTACTS, MAX_USERS } from './limits.ts';
import type { Asked, Route } from './route.ts';
import { callRoutes } from './routes/calls.ts';
import { contactRoutes } from './routes/contacts.ts';
import { userRoutes } from './routes/users.ts';
import { cookieOf } from './sse/cookie.ts';

const user = (name: string): User => ({ id: name, name, displayName: name, number: '201' }) as unknown as User;
const asked = {
  caller: { actor: { kind: 'server' } },
  account: () => Promise.resolve(user('alice')),
  named: (name: string) => Promise.resolve(user(name)),
} as unknown as Asked;

function routeAt(routes: readonly Route[], method: string, path: string): Route {
  const found = routes.find((route) => route.method === method && route.path === path);
  if (found === undefined) throw new Error(`no route ${path}`);
  return found;
}

test('a page of users, and one of records, is no longer than its bound', async () => {
  const limits: unknown[] = [];
  const list = (ask: { readonly limit: number }): Promise<[]> => {
    limits.push(ask.limit);
    return Promise.resolve([]);
  };
  const users = userRoutes({ directory: { users: list }, domain: 'x' } as unknown as Parameters<typeof userRoutes>[0]);
  await routeAt(users, 'GET', '/users').run(asked, { params: {}, query: { limit: '100000' }, body: '' });
  const history = (_actor: unknown, ask: { readonly limit: number }): Promise<[]> => list(ask);
  const calls = callRoutes({ calls: { history } } as unknown as Parameters<typeof callRoutes>[0]);
  await routeAt(calls, 'GET', '/calls/history').run(asked, { params: {}, query: { max: '100000' }, body: '' });
  expect(limits).toEqual([MAX_USERS, 200]);
});

test('contacts of one user; a full list does not hinder the other one', async () => {
  const full = Array.from({ length: MAX_CONTACTS }, (_, i) => ({ contact: `c${i}` as UserId }) as Contact);
  const set: (readonly Contact[])[] = [];
  let isFullAt = 'alice';
  const directory = {
    contacts: (owner: string) => Promise.resolve(owner === isFullAt ? full : []),
    setContacts: (contacts: readonly Contact[]) => Promise.resolve(void set.push(contacts)),
  };
  const routes = contactRoutes({ directory } as unknown as Parameters<typeof contactRoutes>[0]);
  const add = (): Promise<unknown> =>
    routeAt(routes, 'POST', '/contacts/:jid').run(asked, { params: { jid: 'bob' }, query: {}, body: '' });
  await expect(add()).rejects.toMatchObject({ code: 'too-many-contacts' });
  isFullAt = 'bob';
  await add();
  expect(set.map((contacts) => contacts.map(({ contact }) => contact))).toEqual([['bob']]);
});

test('a cookie that is longer than any token is not looked at', () => {
  const id = 'u' as UserId;
  expect(cookieOf(`tieline-sse-u=${'x'.repeat(512)}`, id)).toHaveLength(512);
  expect(cookieOf(`tieline-sse-u=${'x'.repeat(513)}`, id)).toBeNull();
});
