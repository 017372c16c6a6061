import { expect, test } from 'vitest';
import { identityOf } from '../src/index.ts';

const login = (members: { sip?: string; pbxObj?: string; appobj?: string }) => ({
  app: 'tool',
  domain: 'example.com',
  sip: members.sip ?? '',
  guid: '',
  dn: '',
  pbxObj: members.pbxObj,
  info: members.appobj === undefined ? undefined : { appobj: members.appobj },
  infoTexts: [],
  digest: '',
});

test.each([
  ['a user, as the PBX issues it', { sip: 'alice', pbxObj: 'tool', appobj: 'tool' }, true, false],
  ['the same without the unsigned pbxObj', { sip: 'alice', appobj: 'tool' }, true, false],
  ['the same with another pbxObj', { sip: 'alice', pbxObj: 'other', appobj: 'tool' }, true, false],
  ['the App object itself', { sip: 'tool', appobj: 'tool' }, false, true],
  ['an app with its own password', { sip: 'alice' }, false, false],
  ['an app with its own password, naming its object', { pbxObj: 'tool' }, false, false],
])('AW §3.8: %s', (_name, members, isPbxUser, isAppObject) => {
  expect(identityOf(login(members))).toMatchObject({ isPbxUser, isAppObject });
});
