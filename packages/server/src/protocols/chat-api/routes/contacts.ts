import { type Static, Type } from 'typebox';
import type { Contact, User } from '../../../core/directory/index.ts';
import type { PresenceService } from '../../../core/presence/index.ts';
import { Problem } from '../../../kit/index.ts';
import { badRequest, contactExists, noContact, noContactToChange, tooManyContacts } from '../errors.ts';
import { bareJid } from '../jid.ts';
import { MAX_CONTACT_GROUPS, MAX_CONTACTS, MAX_NAME_CHARS } from '../limits.ts';
import type { ChatApiParts } from '../parts.ts';
import { type Asked, jsonBody, parameter, type Route, route, textBody } from '../route.ts';
import { seesPresence } from '../sse/contact-watch.ts';
import { RosterShape, SUBSCRIPTION } from './shapes.ts';

type ContactParts = Pick<ChatApiParts, 'directory' | 'presence' | 'domain'>;

const Group = Type.String({ maxLength: MAX_NAME_CHARS });
const Groups = Type.Array(Group, { maxItems: MAX_CONTACT_GROUPS });

/** What clients send of a contact; lists in both dialects, numbers also as text (OF §1.2, §1.3). */
const ContactInput = Type.Object({
  jid: Type.Optional(parameter('Address of the contact; not needed where the path names it.')),
  nickname: Type.Optional(Type.String({ maxLength: MAX_NAME_CHARS })),
  subscriptionType: Type.Optional(
    Type.Union([Type.Integer(), Type.String({ pattern: '^-?[0-9]{1,2}$' })], { description: SUBSCRIPTION }),
  ),
  groups: Type.Optional(
    Type.Union([
      Groups,
      Type.Object({ group: Type.Union([Groups, Group]) }),
      Type.Object({}, { additionalProperties: false }),
    ]),
  ),
});
type ContactInput = Static<typeof ContactInput>;

const CREATED = { status: 201, schema: null };
const input = jsonBody(ContactInput, 'The contact; may be empty where the path names it.');

/** The list of contacts (OF §5.3). */
export function contactRoutes(parts: ContactParts): readonly Route[] {
  const permits = (account: User) => ({ do: 'edit-contacts', of: account.id }) as const;

  const add = (
    path: string,
    addressOf: (params: { readonly jid?: string }, body: ContactInput) => string | undefined,
  ): Route =>
    route({
      method: 'POST',
      path,
      form: 'account',
      summary: 'Adds a contact. Without a subscription both see each other from then on.',
      params: Type.Object({ jid: Type.Optional(parameter('Name or address of the contact.')) }),
      body: input,
      answer: CREATED,
      problems: ['unknown-user', 'contact-exists', 'too-many-contacts', 'bad-request'],
      permits,
      handle: (ask) => addContact(parts, ask, addressOf(ask.params, ask.body), ask.body),
    });

  return [
    route({
      method: 'GET',
      path: '/contacts',
      form: 'account',
      summary: 'The contacts of the user, with the presence of those whom the user sees.',
      answer: { status: 200, schema: RosterShape },
      permits,
      async handle(ask) {
        const contacts = await parts.directory.contacts((await ask.account()).id);
        const items = await Promise.all(contacts.map((contact) => rosterItem(parts, contact)));
        return { json: { rosterItem: items.filter((item) => item !== null) } };
      },
    }),
    add('/contacts/:jid', (params) => params.jid),
    add('/contacts', (_params, body) => body.jid),
    route({
      method: 'PUT',
      path: '/contacts/:jid',
      form: 'account',
      summary: 'Changes a contact; absent members stay as they are.',
      params: Type.Object({ jid: parameter('Name or address of the contact.') }),
      body: input,
      answer: CREATED,
      problems: ['unknown-user', 'bad-request'],
      permits,
      handle: (ask) => changeContact(parts, ask, ask.params.jid, ask.body),
    }),
    route({
      method: 'DELETE',
      path: '/contacts/:jid',
      form: 'account',
      summary: 'Removes a contact from the list of the user; the other list stays.',
      params: Type.Object({ jid: parameter('Name or address of the contact.') }),
      body: textBody('Ignored.'),
      answer: CREATED,
      problems: ['unknown-contact'],
      permits,
      async handle(ask) {
        const owner = await ask.account();
        const contact = await knownOrNull(ask, ask.params.jid);
        const known = await parts.directory.contacts(owner.id);
        if (contact === null || !known.some((item) => item.contact === contact.id)) throw noContact(ask.params.jid);
        await parts.directory.removeContact(owner.id, contact.id);
        return { status: 201 };
      },
    }),
  ];
}

async function addContact(parts: ContactParts, asked: Asked, address: string | undefined, body: ContactInput) {
  if (address === undefined || address === '') throw badRequest('jid', 'JID is null');
  const owner = await asked.account();
  const contact = await asked.named(address);
  if (contact.id === owner.id) throw badRequest('jid', 'One is no contact of oneself.');
  const known = await parts.directory.contacts(owner.id);
  if (known.some((item) => item.contact === contact.id)) throw contactExists(contact.name);
  if (known.length >= MAX_CONTACTS) throw tooManyContacts(MAX_CONTACTS);
  const subscription = subscriptionOf(body.subscriptionType);
  const item: Contact = {
    owner: owner.id,
    contact: contact.id,
    nickname: body.nickname ?? contact.displayName,
    groups: groupsOf(body.groups) ?? [],
    subscription: subscription ?? 3,
  };
  // OF §5.3: without a subscription both see each other.
  const back = subscription === undefined ? [await mutual(parts, owner, contact)] : [];
  await parts.directory.setContacts([item, ...back.filter((other) => other !== null)]);
  return { status: 201 };
}

/** The owner in the contact's list, seen by both; null where that list is full. */
async function mutual({ directory }: ContactParts, owner: User, contact: User): Promise<Contact | null> {
  const theirs = await directory.contacts(contact.id);
  const known = theirs.find((item) => item.contact === owner.id);
  if (known !== undefined) return { ...known, subscription: 3 };
  if (theirs.length >= MAX_CONTACTS) return null;
  return { owner: contact.id, contact: owner.id, nickname: owner.displayName, groups: [], subscription: 3 };
}

async function changeContact(parts: ContactParts, asked: Asked, address: string, body: ContactInput) {
  const owner = await asked.account();
  const contact = await asked.named(address);
  const known = (await parts.directory.contacts(owner.id)).find((item) => item.contact === contact.id);
  if (known === undefined) throw noContactToChange(address);
  await parts.directory.setContacts([
    {
      ...known,
      nickname: body.nickname ?? known.nickname,
      groups: groupsOf(body.groups) ?? known.groups,
      subscription: subscriptionOf(body.subscriptionType) ?? known.subscription,
    },
  ]);
  return { status: 201 };
}

async function knownOrNull(asked: Asked, address: string): Promise<User | null> {
  try {
    return await asked.named(address);
  } catch (error) {
    if (error instanceof Problem && error.code === 'unknown-user') return null;
    throw error;
  }
}

function subscriptionOf(given: ContactInput['subscriptionType']): Contact['subscription'] | undefined {
  if (given === undefined) return undefined;
  const kind = ([0, 1, 2, 3] as const).find((known) => known === Number(given));
  if (kind === undefined) throw badRequest('subscriptionType', 'A subscription is 0, 1, 2 or 3.');
  return kind;
}

function groupsOf(given: ContactInput['groups']): readonly string[] | undefined {
  if (given === undefined || Array.isArray(given)) return given;
  if (!('group' in given)) return [];
  return Array.isArray(given.group) ? given.group : [given.group];
}

async function rosterItem({ directory, presence, domain }: ContactParts, contact: Contact) {
  const party = await directory.party({ by: 'id', value: contact.contact });
  if (party === null) return null;
  const seen = seesPresence(contact) ? await shownPresence(presence, contact) : null;
  return {
    jid: bareJid(party.name, domain),
    nickname: contact.nickname,
    subscriptionType: contact.subscription,
    groups: { group: contact.groups },
    show: seen?.show ?? 'unavailable',
    status: seen?.status ?? '',
  };
}

async function shownPresence(presence: PresenceService, { contact }: Contact) {
  const now = await presence.now(contact);
  return now.isOnline && now.show !== 'offline' ? now : { show: 'unavailable', status: now.status };
}
