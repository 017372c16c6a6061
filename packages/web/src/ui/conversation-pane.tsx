import { ActionIcon, Button } from '@mantine/core';
import type { ReactNode } from 'react';
import { conversationWith } from '../state/conversations.ts';
import { strangerCalled } from '../state/people.ts';
import { Composer } from './composer.tsx';
import { AddPersonIcon, BackIcon, PhoneIcon } from './icons.tsx';
import { MessageList } from './message-list.tsx';
import { PersonAvatar, presenceText } from './presence.tsx';
import { useController, useTieline } from './store.tsx';

/** The conversation with one person. */
export function ConversationPane({ peer }: { readonly peer: string }): ReactNode {
  const controller = useController();
  const { people, conversations } = useTieline();
  const person = people[peer] ?? strangerCalled(peer);
  const conversation = conversationWith(conversations, peer);
  const { number } = person;
  return (
    <section className="conversation" aria-label={`Conversation with ${person.displayName}`}>
      <header className="conversation-head">
        <ActionIcon
          className="back"
          variant="subtle"
          size={40}
          aria-label="Back to people"
          onClick={() => controller.open(null)}
        >
          <BackIcon />
        </ActionIcon>
        <PersonAvatar person={person} />
        <div className="two-lines">
          <h2 className="name">{person.displayName}</h2>
          <p className="quiet">{presenceText(person)}</p>
        </div>
        {!person.isContact && (
          <ActionIcon
            variant="default"
            size={40}
            aria-label={`Add ${person.displayName} to your contacts`}
            title="Add to contacts"
            onClick={() => void controller.presence.addContact(peer)}
          >
            <AddPersonIcon />
          </ActionIcon>
        )}
        {number !== null && (
          <Button
            className="call-button"
            variant="light"
            leftSection={<PhoneIcon />}
            aria-label={`Call ${person.displayName}, ${number}`}
            onClick={() => void controller.calls.dial(number)}
          >
            Call
          </Button>
        )}
      </header>
      <MessageList peer={peer} displayName={person.displayName} conversation={conversation} />
      <p className="typing quiet" role="status">
        {conversation.isTyping ? `${person.displayName} is typing…` : ''}
      </p>
      <Composer key={peer} peer={peer} displayName={person.displayName} />
    </section>
  );
}
