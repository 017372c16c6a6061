/** What the page knows. Plain values; the reducers beside this file are the only ones that make new ones. */

export const SHOWS = ['available', 'chat', 'away', 'xa', 'dnd', 'offline'] as const;
export type Show = (typeof SHOWS)[number];

export interface Person {
  /** The local part: what others write to. */
  readonly name: string;
  readonly displayName: string;
  readonly number: string | null;
  /** Contacts' presence comes by itself; that of others is asked for. */
  readonly isContact: boolean;
  readonly show: Show;
  readonly status: string;
  readonly isOnPhone: boolean;
}

export type Delivery = 'sent' | 'sending' | 'failed';

export interface Message {
  /** Same as `id`, or, until the server has given one, the key that makes repeats harmless. */
  readonly key: string;
  /** Given by the server: sorts by time. */
  readonly id: string | null;
  readonly peer: string;
  readonly isOwn: boolean;
  readonly text: string;
  readonly html: string | null;
  readonly attach: readonly string[];
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly delivery: Delivery;
  /** Why it failed. */
  readonly problem: string | null;
}

export interface Conversation {
  /** By id; those without one last, in the order they were written. */
  readonly messages: readonly Message[];
  /** Ids of messages that nobody here has seen. */
  readonly unread: readonly string[];
  /** The newest page of the past was asked for and has come. */
  readonly isLoaded: boolean;
  readonly hasEarlier: boolean;
  readonly isTyping: boolean;
}

export type CallState = 'RINGING' | 'ACTIVE' | 'HELD' | 'HANGUP';

export interface Call {
  readonly id: string;
  readonly state: CallState;
  readonly isInbound: boolean;
  /** The far end's number; empty where it is withheld. */
  readonly number: string;
  /** The far end's name; null where nobody knows it. */
  readonly name: string | null;
  readonly startedAt: number | null;
  readonly answeredAt: number | null;
  readonly endedAt: number | null;
  /** Why it ended: `completed missed rejected busy failed elsewhere lost unknown`. */
  readonly reason: string;
}

/** A live call, with when this page heard of it last. */
export interface LiveCall extends Call {
  /** Count of openings of the event stream: what is older than the newest may have ended meanwhile. */
  readonly toldAt: number;
  /** A command of the user is under way. */
  readonly isBusy: boolean;
  readonly problem: string | null;
}

/** How the page stands to the server. */
export type Link = 'connecting' | 'open' | 'lost';

export interface Session {
  readonly name: string;
  readonly stream: string;
  readonly token: string;
}

export interface Me {
  readonly name: string;
  readonly show: Show;
  readonly status: string;
}

export interface State {
  /** Null: nobody is signed in. */
  readonly me: Me | null;
  /** Said at the sign-in form: why the last session ended. */
  readonly farewell: string | null;
  readonly link: Link;
  /** How often the event stream was opened. */
  readonly openings: number;
  readonly people: Readonly<Record<string, Person>>;
  readonly conversations: Readonly<Record<string, Conversation>>;
  readonly openPeer: string | null;
  readonly calls: Readonly<Record<string, LiveCall>>;
  /** Ended calls, newest first. */
  readonly recent: readonly Call[];
  /** Something went wrong that belongs to no message and no call. */
  readonly notice: string | null;
}

export const initialState: State = {
  me: null,
  farewell: null,
  link: 'connecting',
  openings: 0,
  people: {},
  conversations: {},
  openPeer: null,
  calls: {},
  recent: [],
  notice: null,
};
