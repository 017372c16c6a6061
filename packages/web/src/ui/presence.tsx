import { Avatar } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Person, Show } from '../state/model.ts';
import { initials } from './format.ts';

export const SHOW_NAMES: Readonly<Record<Show, string>> = {
  available: 'Available',
  chat: 'Free to chat',
  away: 'Away',
  xa: 'Away for long',
  dnd: 'Do not disturb',
  offline: 'Offline',
};

/** Presence in words: `On the phone`, `Away – back at two`. */
export function presenceText({ show, status, isOnPhone }: Pick<Person, 'show' | 'status' | 'isOnPhone'>): string {
  const state = isOnPhone ? 'On the phone' : SHOW_NAMES[show];
  return status === '' ? state : `${state} – ${status}`;
}

/** The coloured dot; shape and a text beside it say the same. */
export function PresenceDot({ show }: { readonly show: Show }): ReactNode {
  return <span className="dot" data-show={show} aria-hidden="true" />;
}

/** Words that only screen readers say. */
export function ForEars({ children }: { readonly children: ReactNode }): ReactNode {
  return <span className="for-ears">{children}</span>;
}

type Face = Pick<Person, 'name' | 'displayName' | 'show'>;

export function PersonAvatar({ person, size = 40 }: { readonly person: Face; readonly size?: number }): ReactNode {
  return (
    <span className="face" aria-hidden="true">
      <Avatar size={size} radius="xl" variant="filled" className="avatar" data-hue={hueOf(person.name)}>
        {initials(person.displayName)}
      </Avatar>
      <PresenceDot show={person.show} />
    </span>
  );
}

/** One of six: the same for the same name. */
function hueOf(name: string): number {
  return Array.from(name).reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 997, 7) % 6;
}
