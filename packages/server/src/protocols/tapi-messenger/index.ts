import { directoryStream } from '../../core/journal/index.ts';
import { Roster } from '../../kit/index.ts';
import { ChatMessages } from './application/chat-messages.ts';
import { CallMessages } from './application/incoming.ts';
import { Names } from './application/names.ts';
import { PresenceMessages } from './application/presence-feed.ts';
import { Queues } from './application/queues.ts';
import { Topics } from './application/topics.ts';
import { directorySessions } from './application-sessions.ts';
import type { TapiMessengerParts } from './parts.ts';
import { openSockJs } from './open-sockjs.ts';
import { StompSession } from './session.ts';
import type { ConnectionHandler, SockJsConnection } from './sockjs/index.ts';

export { type ApplicationSessions, directorySessions, type FoundSession } from './application-sessions.ts';
export type { TapiMessengerObserver, TapiMessengerParts } from './parts.ts';
export { type TapiMessengerSettings, tapiMessengerDefaults } from './settings.ts';

/** What is held now, and what was dropped since the start. */
export interface TapiMessengerFigures {
  /** STOMP sessions, those that have not logged in included. */
  readonly sessions: number;
  readonly subscriptions: number;
  /** Sessions that listen to a number. */
  readonly listening: number;
  /** Incoming calls that no subscription of a listening session matched (TM AP-13). */
  readonly unseenCalls: number;
}

export interface TapiMessenger {
  /** Sessions (TM AP-2). */
  readonly size: number;
  figures(): TapiMessengerFigures;
  /** Closes every session; resolves when all sockets are gone. */
  close(): Promise<void>;
}

const NOBODY: ConnectionHandler = { onMessage: () => undefined, onClosed: () => undefined };

/** Serves the Tapi Messenger surface: STOMP over SockJS and plain WebSocket, and the `/tapi` application (TM). */
export function mountTapiMessenger(parts: TapiMessengerParts): TapiMessenger {
  const { observer, delivery, directory, settings } = parts;
  const sessions = new Roster<StompSession>();
  const names = new Names(directory);
  let unseenCalls = 0;
  const application = {
    ...parts,
    lookup: parts.lookup ?? directorySessions(directory),
    topics: new Topics(),
    queues: new Queues(),
    messages: new CallMessages(settings.caller),
    chatMessages: new ChatMessages(names),
    presenceMessages: new PresenceMessages(),
    dropped: () => {
      unseenCalls++;
    },
  };

  function open(connection: SockJsConnection): ConnectionHandler {
    let session: StompSession | null = null;
    const place = parts.http.lobby.enter(connection.remoteAddress, () => session?.loginExpired());
    if (place === undefined) {
      connection.close(1013, 'Too many have not logged in');
      return NOBODY;
    }
    session = new StompSession({
      parts,
      application,
      connection,
      place,
      onGone: (user, cause) => {
        leave();
        if (cause === 'slow-consumer') observer.slowReader(user?.name ?? '');
        observer.closed();
      },
    });
    const leave = sessions.add(session);
    observer.opened();
    return session;
  }

  /** Sessions of accounts that were locked or deleted end; the others go by what the account is now. */
  async function accountChanged(id: string): Promise<void> {
    const own = sessions.all().filter((session) => session.user?.id === id);
    const [first] = own;
    if (first === undefined || first.user === null) return;
    const user = await directory.userById(first.user.id);
    for (const session of own)
      if (user === null || user.isLocked) session.end(1008, 'Account closed');
      else session.userChanged(user);
  }

  const stopFollowing = delivery.follow(directoryStream, ({ event }) => {
    if (event.kind !== 'directory' || event.what !== 'user') return;
    names.forget(event.id);
    accountChanged(event.id).catch((error: unknown) => observer.trouble('changed account', error));
  });
  const sockJs = openSockJs(parts, open);

  return {
    get size() {
      return sessions.size;
    },
    figures() {
      let subscriptions = 0;
      let listening = 0;
      for (const session of sessions.all()) {
        subscriptions += session.subscriptionCount;
        if (session.isListening) listening++;
      }
      return { sessions: sessions.size, subscriptions, listening, unseenCalls };
    },
    async close() {
      stopFollowing();
      await sockJs.close();
    },
  };
}
