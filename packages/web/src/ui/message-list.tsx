import { Button } from '@mantine/core';
import { useEffect, useLayoutEffect, useRef, useState, type ReactNode, type RefObject } from 'react';
import type { Conversation, Message } from '../state/model.ts';
import { safeUrl, LinkedText } from '../text/linked-text.tsx';
import { PlainHtml } from '../text/plain-html.tsx';
import { clockTime, dayName, fullTime, isSameDay } from './format.ts';
import { useController } from './store.tsx';

/** Messages of one person within this time stand together. */
const GROUP_MS = 3 * 60_000;
/** Whoever is no further from the end than this reads the newest. */
const NEAR_END_PX = 80;

interface Props {
  readonly peer: string;
  readonly displayName: string;
  readonly conversation: Conversation;
}

export function MessageList({ peer, displayName, conversation }: Props): ReactNode {
  const { messages, isLoaded, hasEarlier } = conversation;
  const box = useRef<HTMLDivElement>(null);
  useStayAtEnd(box, messages, peer);
  return (
    <div ref={box} className="messages" role="log" aria-label={`Messages with ${displayName}`} tabIndex={0}>
      {isLoaded && hasEarlier && messages.length > 0 && <EarlierButton peer={peer} />}
      {isLoaded && messages.length === 0 && <p className="quiet empty">No messages yet. Say hello to {displayName}.</p>}
      <ol>
        {messages.map((message, index) => (
          <MessageItem key={message.key} message={message} before={messages[index - 1]} displayName={displayName} />
        ))}
      </ol>
    </div>
  );
}

/** Follows new messages where the reader is at the end; keeps the place where older ones come in above. */
function useStayAtEnd(box: RefObject<HTMLDivElement | null>, messages: readonly Message[], peer: string): void {
  const isAtEnd = useRef(true);
  const seen = useRef({ peer: '', first: '', height: 0 });
  const first = messages[0]?.key ?? '';
  const last = messages.at(-1);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const before = seen.current;
    if (before.peer !== peer || isAtEnd.current || last?.delivery === 'sending')
      element.scrollTop = element.scrollHeight;
    else if (before.first !== first) element.scrollTop += element.scrollHeight - before.height;
    seen.current = { peer, first, height: element.scrollHeight };
  }, [box, peer, first, last, messages.length]);
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const follow = new ResizeObserver(() => {
      if (isAtEnd.current) element.scrollTop = element.scrollHeight;
    });
    const scrolled = (): void => {
      isAtEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_END_PX;
    };
    element.addEventListener('scroll', scrolled, { passive: true });
    follow.observe(element);
    return () => {
      element.removeEventListener('scroll', scrolled);
      follow.disconnect();
    };
  }, [box]);
}

function EarlierButton({ peer }: { readonly peer: string }): ReactNode {
  const controller = useController();
  const [isBusy, setBusy] = useState(false);
  const load = (): void => {
    setBusy(true);
    void controller.loadEarlier(peer).finally(() => setBusy(false));
  };
  return (
    <Button className="earlier" variant="subtle" size="compact-sm" loading={isBusy} onClick={load}>
      Earlier messages
    </Button>
  );
}

interface ItemProps {
  readonly message: Message;
  readonly before: Message | undefined;
  readonly displayName: string;
}

function MessageItem({ message, before, displayName }: ItemProps): ReactNode {
  const isNewDay = before === undefined || !isSameDay(before.at, message.at);
  const isFirst = isNewDay || before.isOwn !== message.isOwn || message.at - before.at > GROUP_MS;
  return (
    <li>
      {isNewDay && <p className="day">{dayName(message.at, Date.now())}</p>}
      <div
        className="message"
        data-own={message.isOwn || undefined}
        data-first={isFirst || undefined}
        data-delivery={message.delivery}
        data-id={message.id}
      >
        <span className="for-ears">{message.isOwn ? 'You:' : `${displayName}:`}</span>
        <div className="bubble">
          <MessageText message={message} />
          <span className="meta">
            <DeliveryMark message={message} />
            <time dateTime={new Date(message.at).toISOString()} title={fullTime(message.at)}>
              {clockTime(message.at)}
            </time>
          </span>
        </div>
        {message.delivery === 'failed' && <Failure message={message} />}
      </div>
    </li>
  );
}

function MessageText({ message }: { readonly message: Message }): ReactNode {
  return (
    <div className="text">
      {message.html === null ? <LinkedText text={message.text} /> : <PlainHtml html={message.html} />}
      {message.attach.map((url) => (
        <Attachment key={url} url={url} />
      ))}
    </div>
  );
}

function Attachment({ url }: { readonly url: string }): ReactNode {
  const href = safeUrl(url);
  if (href === null) return null;
  const name = href.split(/[?#]/, 1)[0]?.split('/').at(-1) ?? '';
  return (
    <a className="attachment" href={href} target="_blank" rel="noopener noreferrer nofollow">
      {name === '' ? 'Attachment' : name}
    </a>
  );
}

function DeliveryMark({ message }: { readonly message: Message }): ReactNode {
  if (!message.isOwn || message.delivery === 'failed') return null;
  return message.delivery === 'sending' ? <span>Sending…</span> : null;
}

function Failure({ message }: { readonly message: Message }): ReactNode {
  const controller = useController();
  return (
    <div className="failure" role="alert">
      <span>Not sent: {message.problem}</span>
      <Button size="compact-sm" variant="subtle" onClick={() => controller.sendAgain(message)}>
        Try again
      </Button>
      <Button size="compact-sm" variant="subtle" onClick={() => controller.discard(message)}>
        Delete
      </Button>
    </div>
  );
}
