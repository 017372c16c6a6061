import { ActionIcon, Textarea } from '@mantine/core';
import { useEffect, useRef, useState, type KeyboardEvent, type ReactNode, type FormEvent } from 'react';
import { SendIcon } from './icons.tsx';
import { useController } from './store.tsx';

/** The server takes 30,000 bytes of HTML; this many characters fit, whatever they are. */
const MAX_CHARACTERS = 5_000;
const FIELD = 'message-field';

/** Puts the cursor into the message field, where there is one. */
export function focusComposer(): void {
  document.getElementById(FIELD)?.focus();
}

export function Composer({ peer, displayName }: { readonly peer: string; readonly displayName: string }): ReactNode {
  const controller = useController();
  const [text, setText] = useState('');
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => field.current?.focus(), []);

  const send = (): void => {
    if (text.trim() === '') return;
    controller.send(peer, text);
    setText('');
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    send();
  };
  const pressed = (event: KeyboardEvent): void => {
    // While a word is being composed, Enter chooses it.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  return (
    <form className="composer" onSubmit={submit}>
      <Textarea
        ref={field}
        id={FIELD}
        aria-label={`Message to ${displayName}`}
        placeholder="Write a message"
        autosize
        minRows={1}
        maxRows={6}
        maxLength={MAX_CHARACTERS}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          controller.typed(peer, event.currentTarget.value);
        }}
        onKeyDown={pressed}
      />
      <ActionIcon type="submit" size={42} radius="xl" aria-label="Send" disabled={text.trim() === ''}>
        <SendIcon />
      </ActionIcon>
    </form>
  );
}
