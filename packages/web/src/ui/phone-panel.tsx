import { ActionIcon, TextInput, UnstyledButton } from '@mantine/core';
import { useState, type ReactNode, type FormEvent } from 'react';
import { endingOf } from '../state/calls.ts';
import type { Call } from '../state/model.ts';
import { personAt } from '../state/people.ts';
import { briefTime } from './format.ts';
import { InboundIcon, OutboundIcon, PhoneIcon } from './icons.tsx';
import { ForEars } from './presence.tsx';
import { useController, useTieline } from './store.tsx';

/** Calls in the list; the rest is history. */
const SHOWN = 4;

/** The dial field and the last calls. */
export function PhonePanel(): ReactNode {
  const controller = useController();
  const { recent } = useTieline();
  const [number, setNumber] = useState('');
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (number.trim() !== '' && (await controller.calls.dial(number))) setNumber('');
  };
  return (
    <section className="phone" aria-label="Telephone">
      <form className="dial" onSubmit={(event) => void submit(event)}>
        <TextInput
          type="tel"
          autoComplete="off"
          aria-label="Number to call"
          placeholder="Number to call"
          value={number}
          onChange={(event) => setNumber(event.currentTarget.value)}
        />
        <ActionIcon type="submit" size={36} variant="filled" aria-label="Call this number">
          <PhoneIcon />
        </ActionIcon>
      </form>
      {recent.length > 0 && (
        <>
          <h2 className="small-title">Recent calls</h2>
          <ul className="recent">
            {recent.slice(0, SHOWN).map((call) => (
              <li key={call.id}>
                <RecentCall call={call} />
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

function RecentCall({ call }: { readonly call: Call }): ReactNode {
  const controller = useController();
  const { people } = useTieline();
  const name = call.name ?? personAt(people, call.number)?.displayName ?? (call.number || 'Unknown number');
  const isMissed = call.isInbound && call.reason === 'missed';
  const when = call.startedAt === null ? '' : briefTime(call.startedAt, Date.now());
  const isPlain = call.reason === 'completed' || call.reason === 'unknown';
  return (
    <UnstyledButton
      className="recent-call"
      data-missed={isMissed || undefined}
      disabled={call.number === ''}
      onClick={() => void controller.calls.dial(call.number)}
    >
      {call.isInbound ? <InboundIcon /> : <OutboundIcon />}
      <ForEars>{call.isInbound ? 'From ' : 'To '}</ForEars>
      <span className="name">{name}</span>
      <span className="quiet">{isPlain ? when : `${endingOf(call)} · ${when}`}</span>
      <ForEars>Call again</ForEars>
    </UnstyledButton>
  );
}
