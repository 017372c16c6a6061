import type { Conversation, Person, Show } from './model.ts';

export type People = Readonly<Record<string, Person>>;

export interface PresenceChange {
  readonly show: Show;
  readonly status: string;
  readonly isOnPhone: boolean;
}

export function strangerCalled(name: string): Person {
  return { name, displayName: name, number: null, isContact: false, show: 'offline', status: '', isOnPhone: false };
}

/** The directory: names and numbers; presence stays as it was. */
export function directoryLoaded(
  people: People,
  found: readonly Pick<Person, 'name' | 'displayName' | 'number'>[],
): People {
  return found.reduce<People>(
    (all, entry) => ({ ...all, [entry.name]: { ...(all[entry.name] ?? strangerCalled(entry.name)), ...entry } }),
    people,
  );
}

/** The list of contacts, whole: who is not on it is none. */
export function contactsLoaded(people: People, names: readonly string[]): People {
  const contacts = new Set(names);
  const all = { ...Object.fromEntries(names.map((name) => [name, strangerCalled(name)])), ...people };
  return Object.fromEntries(
    Object.entries(all).map(([name, person]) => [name, { ...person, isContact: contacts.has(name) }]),
  );
}

export function presenceTold(people: People, name: string, presence: PresenceChange): People {
  return { ...people, [name]: { ...(people[name] ?? strangerCalled(name)), ...presence } };
}

/** A row of the list of people. */
export interface Row {
  readonly person: Person;
  readonly unread: number;
  readonly lastAt: number | null;
  readonly lastText: string;
  readonly isTyping: boolean;
}

/** People in the list: first those with messages, the newest first, then contacts, then all others by name. */
export function rowsOf(
  people: People,
  conversations: Readonly<Record<string, Conversation>>,
  filter: { readonly me: string; readonly search: string },
): readonly Row[] {
  const names = new Set([...Object.keys(people), ...Object.keys(conversations)]);
  names.delete(filter.me);
  const wanted = filter.search.trim().toLowerCase();
  return [...names]
    .map((name) => rowOf(people[name] ?? strangerCalled(name), conversations[name]))
    .filter(({ person: { name, displayName, number } }) =>
      [name, displayName, number ?? ''].some((text) => text.toLowerCase().includes(wanted)),
    )
    .sort(
      (a, b) =>
        (b.lastAt ?? 0) - (a.lastAt ?? 0) ||
        Number(b.person.isContact) - Number(a.person.isContact) ||
        a.person.displayName.localeCompare(b.person.displayName),
    );
}

function rowOf(person: Person, conversation: Conversation | undefined): Row {
  const last = conversation?.messages.at(-1);
  return {
    person,
    unread: conversation?.unread.length ?? 0,
    lastAt: last?.at ?? null,
    lastText: last === undefined ? '' : `${last.isOwn ? 'You: ' : ''}${last.text === '' ? 'Attachment' : last.text}`,
    isTyping: conversation?.isTyping ?? false,
  };
}

/** The person with this number. */
export function personAt(people: People, number: string): Person | undefined {
  return Object.values(people).find((person) => person.number !== null && person.number === number);
}
