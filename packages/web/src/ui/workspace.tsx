import { Notification } from '@mantine/core';
import { useEffect, type ReactNode } from 'react';
import { shownCalls } from '../state/calls.ts';
import type { State } from '../state/model.ts';
import { CallCards } from './call-cards.tsx';
import { ConversationPane } from './conversation-pane.tsx';
import { Mark } from './icons.tsx';
import { OwnBar } from './own-bar.tsx';
import { PeopleList } from './people-list.tsx';
import { PhonePanel } from './phone-panel.tsx';
import { useController, useTieline } from './store.tsx';

/** Everything after the sign-in. On narrow screens either the people or the conversation. */
export function Workspace(): ReactNode {
  const state = useTieline();
  const { openPeer } = state;
  useTitle(state);
  return (
    <div className="workspace" data-open={openPeer === null ? undefined : ''}>
      <h1 className="for-ears">Tieline</h1>
      <CallCards />
      <aside className="side" aria-label="People and telephone">
        <OwnBar />
        <LinkState />
        <PeopleList />
        <PhonePanel />
      </aside>
      <main className="stage">
        {openPeer === null ? (
          <div className="nothing-open">
            <Mark />
            <p className="quiet">Choose somebody to write to.</p>
          </div>
        ) : (
          <ConversationPane peer={openPeer} />
        )}
      </main>
      <Notice />
    </div>
  );
}

/** Says plainly when the page is not in touch with the server. */
function LinkState(): ReactNode {
  const { link } = useTieline();
  const words = { connecting: 'Connecting…', open: '', lost: 'Connection lost. Trying again…' }[link];
  return (
    <p className="link-state" role="status" data-link={link}>
      {words}
    </p>
  );
}

function Notice(): ReactNode {
  const controller = useController();
  const { notice } = useTieline();
  return (
    <div className="notice">
      {notice !== null && (
        <Notification
          color="red"
          withBorder
          closeButtonProps={{ 'aria-label': 'Close' }}
          onClose={() => controller.closeNotice()}
        >
          {notice}
        </Notification>
      )}
    </div>
  );
}

function useTitle({ conversations, calls }: State): void {
  const ringing = shownCalls(calls).find((call) => call.state === 'RINGING' && call.isInbound);
  const unread = Object.values(conversations).reduce((sum, conversation) => sum + conversation.unread.length, 0);
  const title =
    ringing !== undefined ? `☎ ${ringing.name ?? ringing.number}` : unread > 0 ? `(${unread}) Tieline` : 'Tieline';
  useEffect(() => {
    document.title = title;
  }, [title]);
}
