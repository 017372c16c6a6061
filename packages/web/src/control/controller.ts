import { createClient, RequestError, signIn, type Client, type EventName } from '../api/client.ts';
import * as wire from '../api/wire.ts';
import { conversationWith, unreadOf } from '../state/conversations.ts';
import { initialState, type Message, type Session, type State } from '../state/model.ts';
import { reduce, type Action } from '../state/reduce.ts';
import { CallDesk } from './call-desk.ts';
import { Connection } from './connection.ts';
import { loadEverything } from './loading.ts';
import type { Memory } from './memory.ts';
import { Outbox } from './outbox.ts';
import { PresenceDesk } from './presence-desk.ts';
import type { Timers } from './timers.ts';
import { TypingTeller, TypingWatch } from './typing.ts';

/** Messages asked for at once. */
const PAGE = 50;

export interface ControllerParts {
  readonly timers: Timers;
  readonly memory: Memory;
  readonly newKey: () => string;
  /** The user looks at the page. */
  readonly isLooking: () => boolean;
  readonly connect?: (session: Session) => Client;
}

interface Running {
  readonly client: Client;
  readonly session: Session;
  readonly connection: Connection;
  readonly outbox: Outbox;
  readonly typing: TypingTeller;
  readonly watch: TypingWatch;
}

/** Holds the state, and does what the user asks: requests out, events in, everything through the reducers. */
export class Controller {
  readonly #parts: ControllerParts;
  readonly calls: CallDesk;
  readonly presence: PresenceDesk;
  readonly #listeners = new Set<() => void>();
  #state: State = initialState;
  #running: Running | null = null;
  #position = '';

  constructor(parts: ControllerParts) {
    this.#parts = parts;
    this.calls = new CallDesk({
      timers: parts.timers,
      newKey: parts.newKey,
      dispatch: (action) => this.#dispatch(action),
      failed: (error, otherwise) => this.#failed(error, otherwise),
      attempt: (run, how) => this.#attempt(({ client }) => run(client), how),
    });
    this.presence = new PresenceDesk({
      timers: parts.timers,
      state: this.getState,
      isLooking: parts.isLooking,
      dispatch: (action) => this.#dispatch(action),
      attempt: (run, how) => this.#attempt(({ client }) => run(client), how),
    });
    const remembered = parts.memory.load();
    if (remembered === null) return;
    this.#position = remembered.position;
    this.#start(remembered.session, remembered.unread);
  }

  readonly getState = (): State => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** @throws RequestError */
  async signIn(name: string, password: string): Promise<void> {
    const session = await signIn(name, password);
    this.#position = '';
    this.#start(session, {});
  }

  async signOut(): Promise<void> {
    const { client } = this.#running ?? {};
    this.#stop(null);
    await this.#attempt(async () => client?.signOut(), 'quietly');
  }

  /** The page is seen again, or the network is back. */
  wake(): void {
    this.#running?.connection.hurry();
    this.#running?.outbox.wake();
    const { openPeer } = this.#state;
    if (openPeer !== null && this.#parts.isLooking()) this.#dispatch({ do: 'seen', peer: openPeer });
  }

  open(peer: string | null): void {
    this.#running?.typing.stopped();
    this.#dispatch({ do: 'open-conversation', peer });
    if (peer === null) return;
    this.#dispatch({ do: 'seen', peer });
    if (!conversationWith(this.#state.conversations, peer).isLoaded) void this.#loadPage(peer);
    void this.presence.look(peer);
  }

  async loadEarlier(peer: string): Promise<void> {
    const oldest = conversationWith(this.#state.conversations, peer).messages.find(({ id }) => id !== null);
    await this.#loadPage(peer, oldest?.id ?? undefined);
  }

  send(peer: string, text: string): void {
    const { outbox, typing } = this.#running ?? {};
    if (outbox === undefined || text.trim() === '') return;
    typing?.sent();
    const key = this.#parts.newKey();
    const message: Message = {
      key,
      id: null,
      peer,
      isOwn: true,
      text,
      html: null,
      attach: [],
      at: this.#parts.timers.now(),
      delivery: 'sending',
      problem: null,
    };
    this.#dispatch({ do: 'written', message });
    outbox.add({ peer, key, text });
  }

  /** Sends a failed message again, under its first key. */
  sendAgain({ peer, key, text }: Message): void {
    this.#dispatch({ do: 'sending-again', peer, key });
    this.#running?.outbox.add({ peer, key, text });
  }

  discard({ peer, key }: Message): void {
    this.#dispatch({ do: 'discarded', peer, key });
  }

  typed(peer: string, text: string): void {
    if (text === '') this.#running?.typing.stopped();
    else this.#running?.typing.typed(peer);
  }

  closeNotice(): void {
    this.#dispatch({ do: 'notice', text: null });
  }

  #dispatch(action: Action): void {
    this.#state = reduce(this.#state, action);
    for (const listener of this.#listeners) listener();
  }

  #start(session: Session, unread: Readonly<Record<string, readonly string[]>>): void {
    const { timers } = this.#parts;
    const client = (this.#parts.connect ?? createClient)(session);
    this.#dispatch({ do: 'signed-in', name: session.name, unread });
    const tell = (peer: string, state: 'composing' | 'paused'): void =>
      void this.#attempt(() => client.chatState(peer, state), 'quietly');
    this.#running = {
      client,
      session,
      typing: new TypingTeller(timers, tell),
      watch: new TypingWatch(timers, (peer, isTyping) => this.#dispatch({ do: 'typing', peer, isTyping })),
      outbox: new Outbox({
        timers,
        send: ({ peer, text, key }) => client.send(peer, text, key),
        accepted: ({ peer, key }, id) => this.#dispatch({ do: 'accepted', peer, key, id }),
        failed: ({ peer, key }, error) => this.#failed(error, { do: 'failed', peer, key, problem: error.message }),
      }),
      connection: new Connection({
        client,
        timers,
        since: () => this.#position,
        changed: (link) => this.#linked(link),
        event: (name, data, id) => this.#event(name, data, id),
        ended: () => this.#stop('Your session has ended. Please sign in again.'),
      }),
    };
    this.#remember();
    void this.#load(client);
    this.presence.start();
  }

  #stop(farewell: string | null): void {
    this.#running?.connection.close();
    this.#running?.outbox.close();
    this.#running?.typing.sent();
    this.#running?.watch.close();
    this.presence.stop();
    this.#running = null;
    this.#parts.memory.clear();
    this.#dispatch({ do: 'signed-out', farewell });
  }

  #remember(): void {
    if (this.#running === null) return;
    const { session } = this.#running;
    const unread = unreadOf(this.#state.conversations);
    this.#parts.memory.save({ session, position: this.#position, unread });
  }

  #linked(link: State['link']): void {
    const isBack = link === 'open' && this.#state.openings > 0;
    this.#dispatch({ do: 'link', link });
    if (link !== 'open') return;
    this.#running?.outbox.wake();
    void this.calls.refresh(this.#state.openings);
    if (isBack) void this.presence.refresh();
  }

  #event(name: EventName, data: unknown, id: string): void {
    const me = this.#state.me?.name ?? '';
    const json = wire.objectOf(data);
    switch (name) {
      case 'chat':
      case 'sent':
        if (typeof json['state'] === 'string') this.#running?.watch.told(wire.nameOf(json['from']), json['state']);
        else this.#received(wire.messageOf(data, me));
        break;
      case 'presence':
        this.#dispatch({ do: 'presence', name: wire.nameOf(json['from']), presence: wire.presenceOf(data) });
        break;
      case 'call':
        this.calls.told(wire.callOf(data));
        break;
      case 'callrecord':
        this.calls.recorded(wire.callOf(data));
        break;
      case 'reset':
        this.#dispatch({ do: 'forget-messages' });
        if (this.#running !== null) void this.#load(this.#running.client);
        break;
      case 'end':
        this.#stop(json['reason'] === 'locked' ? 'Your account has been locked.' : 'You have been signed out.');
        break;
    }
    if (id !== '') this.#position = id;
    this.#remember();
  }

  #received(message: Message | null): void {
    if (message === null) return;
    const isSeen = this.#state.openPeer === message.peer && this.#parts.isLooking();
    this.#dispatch({ do: 'received', message, isSeen });
    if (!message.isOwn) void this.presence.look(message.peer);
  }

  async #load(client: Client): Promise<void> {
    await this.#attempt(() => loadEverything(client, (action) => this.#dispatch(action)), 'quietly');
    const { openPeer } = this.#state;
    if (openPeer !== null && this.#running?.client === client) await this.#loadPage(openPeer);
  }

  async #loadPage(peer: string, before?: string): Promise<void> {
    await this.#attempt(async ({ client }) => {
      const page = { peer, max: PAGE, ...(before === undefined ? {} : { before }) };
      const messages = await client.history(page);
      this.#dispatch({ do: 'page', peer, messages, hasEarlier: messages.length >= PAGE });
    });
  }

  /** Runs it and says what went wrong. @returns whether nothing did */
  async #attempt(run: (running: Running) => Promise<unknown>, how: 'aloud' | 'quietly' = 'aloud'): Promise<boolean> {
    const running = this.#running;
    try {
      if (running !== null) await run(running);
      return running !== null;
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      if (running !== this.#running) return false;
      if (how === 'aloud') this.#failed(error, { do: 'notice', text: error.message });
      else if (error.status === 401) this.#failed(error, { do: 'notice', text: null });
      return false;
    }
  }

  /** A request that is refused as nobody's ends the session; anything else is said where it belongs. */
  #failed(error: RequestError, otherwise: Action): void {
    if (error.status === 401) this.#stop('Your session has ended. Please sign in again.');
    else this.#dispatch(otherwise);
  }
}
