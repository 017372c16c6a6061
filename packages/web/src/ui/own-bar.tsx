import {
  Button,
  Menu,
  Modal,
  TextInput,
  UnstyledButton,
  useComputedColorScheme,
  useMantineColorScheme,
} from '@mantine/core';
import { useState, type ReactNode, type FormEvent } from 'react';
import { SHOWS, type Show } from '../state/model.ts';
import { ForEars, PersonAvatar, PresenceDot, presenceText, SHOW_NAMES } from './presence.tsx';
import { useController, useTieline } from './store.tsx';

const CHOICES = SHOWS.filter((show) => show !== 'offline');

/** Who is signed in, with the menu of everything that is about oneself. */
export function OwnBar(): ReactNode {
  const controller = useController();
  const { me, people } = useTieline();
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme('light');
  const [isNoteOpen, setNoteOpen] = useState(false);
  if (me === null) return null;
  const person = people[me.name];
  const face = { name: me.name, displayName: person?.displayName ?? me.name, show: me.show };
  const presence = presenceText({ ...me, isOnPhone: person?.isOnPhone ?? false });
  const choose = (value: string | null): void => {
    const show = CHOICES.find((known) => known === value);
    if (show !== undefined) void controller.presence.set(show, me.status);
  };
  const other = scheme === 'dark' ? 'light' : 'dark';

  return (
    <div className="own-bar">
      <Menu position="bottom-start" width={240} shadow="md" withInitialFocusPlaceholder={false}>
        <Menu.Target>
          <UnstyledButton className="own-button">
            <PersonAvatar person={face} />
            <span className="two-lines">
              <span className="name">{face.displayName}</span>
              <span className="quiet">{presence}</span>
              <ForEars>Your menu</ForEars>
            </span>
          </UnstyledButton>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>I am</Menu.Label>
          <Menu.RadioGroup value={me.show} onChange={choose}>
            {CHOICES.map((show) => (
              <Menu.RadioItem key={show} value={show} closeMenuOnClick>
                <PresenceDot show={show} /> {SHOW_NAMES[show]}
              </Menu.RadioItem>
            ))}
          </Menu.RadioGroup>
          <Menu.Item onClick={() => setNoteOpen(true)}>
            {me.status === '' ? 'Add a note…' : 'Change the note…'}
          </Menu.Item>
          <Menu.Divider />
          <Menu.Item onClick={() => setColorScheme(other)}>
            {other === 'dark' ? 'Dark colours' : 'Light colours'}
          </Menu.Item>
          <Menu.Item onClick={() => void controller.signOut()}>Sign out</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <NoteDialog isOpen={isNoteOpen} close={() => setNoteOpen(false)} show={me.show} status={me.status} />
    </div>
  );
}

interface NoteProps {
  readonly isOpen: boolean;
  readonly close: () => void;
  readonly show: Show;
  readonly status: string;
}

function NoteDialog({ isOpen, close, show, status }: NoteProps): ReactNode {
  const controller = useController();
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const note = new FormData(event.currentTarget).get('note');
    void controller.presence.set(show, typeof note === 'string' ? note.trim() : '');
    close();
  };
  return (
    <Modal opened={isOpen} onClose={close} title="Your note" closeButtonProps={{ 'aria-label': 'Close' }} centered>
      <form className="note-form" onSubmit={submit}>
        <TextInput name="note" label="What your contacts see" maxLength={200} defaultValue={status} data-autofocus />
        <Button type="submit">Save</Button>
      </form>
    </Modal>
  );
}
