import { TextInput, UnstyledButton } from '@mantine/core';
import { useDeferredValue, useState, type ReactNode } from 'react';
import { rowsOf, type Row } from '../state/people.ts';
import { briefTime } from './format.ts';
import { SearchIcon } from './icons.tsx';
import { PersonAvatar, presenceText } from './presence.tsx';
import { useController, useTieline } from './store.tsx';

/** Everybody one can write to, those one wrote with last first. */
export function PeopleList(): ReactNode {
  const { people, conversations, me, openPeer } = useTieline();
  const [search, setSearch] = useState('');
  const wanted = useDeferredValue(search);
  const rows = rowsOf(people, conversations, { me: me?.name ?? '', search: wanted });
  return (
    <nav className="people" aria-label="People">
      <TextInput
        className="search"
        type="search"
        aria-label="Find people"
        placeholder="Find people"
        leftSection={<SearchIcon />}
        value={search}
        onChange={(event) => setSearch(event.currentTarget.value)}
      />
      <ul className="rows">
        {rows.map((row) => (
          <li key={row.person.name}>
            <PersonRow row={row} isOpen={row.person.name === openPeer} />
          </li>
        ))}
      </ul>
      {rows.length === 0 && <p className="quiet nobody">{wanted === '' ? 'Nobody is here yet.' : 'Nobody found.'}</p>}
    </nav>
  );
}

function PersonRow({ row, isOpen }: { readonly row: Row; readonly isOpen: boolean }): ReactNode {
  const controller = useController();
  const { person, unread } = row;
  const below = row.isTyping ? 'is typing…' : row.lastText === '' ? presenceText(person) : row.lastText;
  return (
    <UnstyledButton
      className="row"
      data-person={person.name}
      data-unread={unread > 0 || undefined}
      aria-current={isOpen || undefined}
      aria-label={labelOf(row)}
      onClick={() => controller.open(person.name)}
    >
      <PersonAvatar person={person} />
      <span className="two-lines">
        <span className="name">{person.displayName}</span>
        <span className="quiet last" data-typing={row.isTyping || undefined}>
          {below}
        </span>
      </span>
      <span className="aside">
        <span className="quiet when">
          {row.lastAt === null ? (person.number ?? '') : briefTime(row.lastAt, Date.now())}
        </span>
        {unread > 0 && <span className="count">{unread > 99 ? '99+' : unread}</span>}
      </span>
    </UnstyledButton>
  );
}

function labelOf({ person, unread, isTyping }: Row): string {
  const parts = [person.displayName, presenceText(person)];
  if (isTyping) parts.push('is typing');
  if (unread > 0) parts.push(unread === 1 ? '1 unread message' : `${unread} unread messages`);
  return parts.join(', ');
}
