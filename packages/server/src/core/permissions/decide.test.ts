import { expect, test } from 'vitest';
import type { UserId } from '../journal/index.ts';
import { decide } from './decide.ts';
import type { Action, Actor } from './model.ts';

const alice = 'a' as UserId;
const bob = 'b' as UserId;
const robot = 'r' as UserId;

const actors: Readonly<Record<string, Actor>> = {
  alice: { kind: 'user', user: alice, admin: false },
  admin: { kind: 'user', user: bob, admin: true },
  chatApp: { kind: 'app', id: robot, app: 'chat', grants: ['PbxSignal', 'PbxMessages', 'PbxApi'] },
  ctiApp: { kind: 'app', id: robot, app: 'cti', grants: ['RCC'] },
  telephone: { kind: 'telephone', user: alice, number: '201' },
  server: { kind: 'server' },
  anonymous: { kind: 'anonymous' },
};

const actions: Readonly<Record<string, Action>> = {
  'chat as alice': { do: 'chat', as: alice },
  'chat as bob': { do: 'chat', as: bob },
  'chat as the app': { do: 'chat', as: robot },
  "read alice's history": { do: 'read-history', of: alice },
  "read bob's history": { do: 'read-history', of: bob },
  "receive alice's": { do: 'receive', of: alice },
  'receive the app’s': { do: 'receive', of: robot },
  "set alice's presence": { do: 'set-presence', of: alice },
  "see bob's presence": { do: 'see-presence', of: bob },
  "edit bob's contacts": { do: 'edit-contacts', of: bob },
  'listen to 201': { do: 'listen-calls', of: alice, number: '201' },
  'listen to 202': { do: 'listen-calls', of: bob, number: '202' },
  'control 201': { do: 'control-calls', of: alice, number: '201' },
  'use RCC': { do: 'use-api', api: 'RCC' },
  'use Services': { do: 'use-api', api: 'Services' },
  administer: { do: 'administer' },
};

const all = Object.keys(actions);
const allowed: Readonly<Record<string, readonly string[]>> = {
  alice: [
    'chat as alice',
    "read alice's history",
    "receive alice's",
    "set alice's presence",
    "see bob's presence",
    'listen to 201',
    'control 201',
    'use RCC',
  ],
  admin: all.filter((name) => name !== 'use Services'),
  chatApp: [
    'chat as the app',
    "read alice's history",
    "read bob's history",
    'receive the app’s',
    "set alice's presence",
    "see bob's presence",
  ],
  ctiApp: ['receive the app’s', 'listen to 201', 'listen to 202', 'control 201', 'use RCC'],
  telephone: ['listen to 201', 'control 201'],
  server: all,
  anonymous: [],
};

test.each(Object.entries(allowed))('%s may do exactly this', (who, may) => {
  const actor = actors[who];
  expect(actor).toBeDefined();
  const can = Object.entries(actions).filter(([, action]) => actor !== undefined && decide(actor, action) === true);
  expect(can.map(([name]) => name)).toEqual(all.filter((name) => may.includes(name)));
});
