import { TextInput, UnstyledButton } from '@mantine/core';
import { useDeferredValue, useState, type ReactNode } from 'react';
import { rowsOf, type Row } from '../state/people.ts';
import { focusComposer } from './composer.tsx';
import { briefTime } from './format.ts';
import { SearchIcon } from './icons.tsx';
import { ForEars, PersonAvatar, presenceText } from './presence.tsx';
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
  const { person, unread, isTyping, lastText, lastAt } = row;
  return (
    <UnstyledButton
      className="row"
      data-person={person.name}
      data-unread={unread > 0 || undefined}
      aria-current={isOpen || undefined}
      onClick={() => {
        controller.open(person.name);
        if (isOpen) focusComposer();
      }}
    >
      <PersonAvatar person={person} />
      <span className="two-lines">
        <span className="name">{person.displayName}</span>
        {(isTyping || lastText !== '') && <ForEars>{presenceText(person)}</ForEars>}
        <span className="quiet last" data-typing={isTyping || undefined}>
          {isTyping ? 'is typing…' : lastText === '' ? presenceText(person) : lastText}
        </span>
      </span>
      <span className="aside">
        <span className="quiet when">{lastAt === null ? (person.number ?? '') : briefTime(lastAt, Date.now())}</span>
        {unread > 0 && (
          <span className="count">
            {unread > 99 ? '99+' : unread}
            <ForEars>{unread === 1 ? ' unread message' : ' unread messages'}</ForEars>
          </span>
        )}
      </span>
    </UnstyledButton>
  );
}
