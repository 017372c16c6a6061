import * as calls from './calls.ts';
import * as conversations from './conversations.ts';
import { initialState, type Call, type Link, type LiveCall, type Message, type Person, type State } from './model.ts';
import * as people from './people.ts';

/** Everything that changes what the page knows. */
export type Action =
  | { readonly do: 'signed-in'; readonly name: string; readonly unread: Readonly<Record<string, readonly string[]>> }
  | { readonly do: 'signed-out'; readonly farewell: string | null }
  | { readonly do: 'link'; readonly link: Link }
  | { readonly do: 'directory'; readonly found: readonly Pick<Person, 'name' | 'displayName' | 'number'>[] }
  | { readonly do: 'contacts'; readonly names: readonly string[] }
  | { readonly do: 'presence'; readonly name: string; readonly presence: people.PresenceChange }
  | { readonly do: 'received'; readonly message: Message; readonly isSeen: boolean }
  | { readonly do: 'overview'; readonly messages: readonly Message[] }
  | { readonly do: 'page'; readonly peer: string; readonly messages: readonly Message[]; readonly hasEarlier: boolean }
  | { readonly do: 'forget-messages' }
  | { readonly do: 'written'; readonly message: Message }
  | { readonly do: 'accepted'; readonly peer: string; readonly key: string; readonly id: string }
  | { readonly do: 'failed'; readonly peer: string; readonly key: string; readonly problem: string }
  | { readonly do: 'sending-again'; readonly peer: string; readonly key: string }
  | { readonly do: 'discarded'; readonly peer: string; readonly key: string }
  | { readonly do: 'typing'; readonly peer: string; readonly isTyping: boolean }
  | { readonly do: 'open-conversation'; readonly peer: string | null }
  | { readonly do: 'seen'; readonly peer: string }
  | { readonly do: 'call'; readonly call: Call }
  | { readonly do: 'calls-listed'; readonly calls: readonly Call[]; readonly opening: number }
  | { readonly do: 'call-marked'; readonly id: string; readonly mark: Pick<LiveCall, 'isBusy' | 'problem'> }
  | { readonly do: 'call-forgotten'; readonly id: string }
  | { readonly do: 'records'; readonly calls: readonly Call[] }
  | { readonly do: 'notice'; readonly text: string | null };

/** The next state. Pure: the same two always make the same third. */
export function reduce(state: State, action: Action): State {
  switch (action.do) {
    case 'signed-in':
      return {
        ...initialState,
        me: { name: action.name, show: 'available', status: '' },
        conversations: conversations.unreadRestored({}, action.unread),
      };
    case 'signed-out':
      return { ...initialState, farewell: action.farewell };
    case 'link':
      return { ...state, link: action.link, openings: state.openings + (action.link === 'open' ? 1 : 0) };
    case 'directory':
      return { ...state, people: people.directoryLoaded(state.people, action.found) };
    case 'contacts':
      return { ...state, people: people.contactsLoaded(state.people, action.names) };
    case 'presence':
      return withPresence(state, action.name, action.presence);
    case 'notice':
      return { ...state, notice: action.text };
    case 'call':
    case 'calls-listed':
    case 'call-marked':
    case 'call-forgotten':
    case 'records':
      return reduceCalls(state, action);
    default:
      return reduceMessages(state, action);
  }
}

function withPresence(state: State, name: string, presence: people.PresenceChange): State {
  const told = { ...state, people: people.presenceTold(state.people, name, presence) };
  if (state.me?.name !== name) return told;
  return { ...told, me: { ...state.me, show: presence.show, status: presence.status } };
}

type CallAction = Extract<
  Action,
  { readonly do: 'call' | 'calls-listed' | 'call-marked' | 'call-forgotten' | 'records' }
>;

function reduceCalls(state: State, action: CallAction): State {
  switch (action.do) {
    case 'call':
      return { ...state, calls: calls.callTold(state.calls, action.call, state.openings) };
    case 'calls-listed':
      return { ...state, calls: calls.callsListed(state.calls, action.calls, action.opening) };
    case 'call-marked':
      return { ...state, calls: calls.callMarked(state.calls, action.id, action.mark) };
    case 'call-forgotten':
      return { ...state, calls: calls.callForgotten(state.calls, action.id) };
    case 'records':
      return { ...state, recent: calls.recordsAdded(state.recent, action.calls) };
  }
}

type MessageAction = Exclude<
  Action,
  CallAction | { readonly do: 'signed-in' | 'signed-out' | 'link' | 'directory' | 'contacts' | 'presence' | 'notice' }
>;

function reduceMessages(state: State, action: MessageAction): State {
  const all = state.conversations;
  const next = (changed: conversations.Conversations): State => ({ ...state, conversations: changed });
  switch (action.do) {
    case 'received':
      return next(conversations.received(all, action.message, action.isSeen));
    case 'overview':
      return next(conversations.overviewLoaded(all, action.messages));
    case 'page':
      return next(conversations.pageLoaded(all, action));
    case 'forget-messages':
      return next(conversations.forgotten(all));
    case 'written':
      return next(conversations.written(all, action.message));
    case 'accepted':
      return next(conversations.accepted(all, action));
    case 'failed':
      return next(conversations.deliveryChanged(all, action, { delivery: 'failed', problem: action.problem }));
    case 'sending-again':
      return next(conversations.deliveryChanged(all, action, { delivery: 'sending', problem: null }));
    case 'discarded':
      return next(conversations.discarded(all, action));
    case 'typing':
      return next(conversations.typingChanged(all, action.peer, action.isTyping));
    case 'open-conversation':
      return { ...state, openPeer: action.peer };
    case 'seen':
      return next(conversations.seen(all, action.peer));
  }
}
