import { Button, CloseButton, Paper } from '@mantine/core';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { endingOf, shownCalls } from '../state/calls.ts';
import type { LiveCall } from '../state/model.ts';
import { personAt } from '../state/people.ts';
import { duration } from './format.ts';
import { HangUpIcon, PhoneIcon } from './icons.tsx';
import { PersonAvatar } from './presence.tsx';
import { useController, useTieline } from './store.tsx';

/** Calls that are going on, over everything else; one that rings is announced and can be answered by keyboard. */
export function CallCards(): ReactNode {
  const { calls } = useTieline();
  const shown = shownCalls(calls);
  useCallKeys(shown.find(isRinging)?.id);
  return (
    <div className="calls" role="region" aria-label="Calls">
      {shown.map((call) => (
        <CallCard key={call.id} call={call} />
      ))}
    </div>
  );
}

function isRinging(call: LiveCall): boolean {
  return call.state === 'RINGING' && call.isInbound;
}

/** Alt+A answers, Alt+D declines, wherever the focus is. */
function useCallKeys(id: string | undefined): void {
  const controller = useController();
  useEffect(() => {
    if (id === undefined) return;
    const pressed = (event: KeyboardEvent): void => {
      if (!event.altKey || event.ctrlKey || event.metaKey || event.repeat) return;
      if (event.code !== 'KeyA' && event.code !== 'KeyD') return;
      event.preventDefault();
      void (event.code === 'KeyA' ? controller.calls.answer(id) : controller.calls.hangUp(id));
    };
    window.addEventListener('keydown', pressed);
    return () => window.removeEventListener('keydown', pressed);
  }, [id, controller]);
}

function CallCard({ call }: { readonly call: LiveCall }): ReactNode {
  const { people } = useTieline();
  const card = useRef<HTMLDivElement>(null);
  const rings = isRinging(call);
  const person = personAt(people, call.number);
  const name = call.name ?? person?.displayName ?? (call.number || 'Unknown number');
  useFocusWhileRinging(card, rings);
  return (
    <Paper
      ref={card}
      className="call"
      shadow="lg"
      withBorder
      tabIndex={-1}
      role="group"
      aria-label={`Call with ${name}`}
      data-call={call.state}
      data-rings={rings || undefined}
    >
      <div className="call-who">
        <PersonAvatar person={person ?? { name, displayName: name, show: 'offline' }} size={44} />
        <div className="two-lines">
          <span className="name">{name}</span>
          <span className="quiet">
            <CallStateText call={call} />
            {name === call.number || call.number === '' ? '' : ` · ${call.number}`}
          </span>
        </div>
        {call.problem !== null && <DismissButton id={call.id} />}
      </div>
      <p className="for-ears" role={rings ? 'alert' : 'status'}>
        {rings ? `Incoming call from ${name}. Alt A answers, Alt D declines.` : ''}
      </p>
      {call.problem !== null && (
        <p className="problem" role="alert">
          {call.problem}
        </p>
      )}
      <CallButtons call={call} />
      {rings && (
        <p className="keys quiet" aria-hidden="true">
          <kbd>Alt</kbd> <kbd>A</kbd> answers, <kbd>Alt</kbd> <kbd>D</kbd> declines
        </p>
      )}
    </Paper>
  );
}

/** The card takes the focus where it disturbs nobody who is typing, and gives it back. The buttons are the next stops. */
function useFocusWhileRinging(card: React.RefObject<HTMLDivElement | null>, rings: boolean): void {
  useEffect(() => {
    const element = card.current;
    const before = document.activeElement;
    const isTyping = before instanceof HTMLInputElement || before instanceof HTMLTextAreaElement;
    if (!rings || isTyping) return;
    element?.focus({ preventScroll: true });
  }, [card, rings]);
  useEffect(() => {
    const element = card.current;
    const before = document.activeElement;
    return () => {
      const isInside = element?.contains(document.activeElement) ?? false;
      if (isInside && before instanceof HTMLElement && before !== element) before.focus({ preventScroll: true });
    };
  }, [card]);
}

function CallStateText({ call }: { readonly call: LiveCall }): ReactNode {
  switch (call.state) {
    case 'RINGING':
      return call.isInbound ? 'Incoming call' : 'Calling…';
    case 'ACTIVE':
      return call.answeredAt === null ? 'Connected' : <Duration since={call.answeredAt} />;
    case 'HELD':
      return 'On hold';
    case 'HANGUP':
      return endingOf(call);
  }
}

function Duration({ since }: { readonly since: number }): ReactNode {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return `Connected ${duration(now - since)}`;
}

function CallButtons({ call }: { readonly call: LiveCall }): ReactNode {
  const controller = useController();
  if (call.state === 'HANGUP') return null;
  const rings = isRinging(call);
  return (
    <div className="call-buttons">
      {rings && (
        <Button
          color="#1f7a38"
          leftSection={<PhoneIcon />}
          aria-keyshortcuts="Alt+A"
          disabled={call.isBusy}
          onClick={() => void controller.calls.answer(call.id)}
        >
          Answer
        </Button>
      )}
      <Button
        {...(rings ? { variant: 'default', className: 'decline' } : { color: 'red.9' })}
        leftSection={<HangUpIcon />}
        aria-keyshortcuts={rings ? 'Alt+D' : undefined}
        disabled={call.isBusy}
        onClick={() => void controller.calls.hangUp(call.id)}
      >
        {rings ? 'Decline' : 'Hang up'}
      </Button>
    </div>
  );
}

function DismissButton({ id }: { readonly id: string }): ReactNode {
  const controller = useController();
  return <CloseButton aria-label="Hide this call" onClick={() => controller.calls.dismiss(id)} />;
}
