import type { None, Op } from './operation.ts';

/** One conversation of a topic. `timestamp` in milliseconds, UTC. */
export interface ChatSummary {
  readonly mt: 'ReadChatsInd';
  readonly sip: string;
  readonly dn?: string;
  readonly grp?: boolean;
  readonly timestamp?: number;
  /** Present where `unread` was asked for. */
  readonly unread?: number;
}

/** One stored message (PBX 5.4). `text` is plain HTML, `timestamp` in milliseconds, UTC. */
export interface StoredMessage {
  readonly mt: 'ReadChatInd';
  readonly msg: {
    readonly id: number;
    readonly author: string;
    readonly dn?: string;
    readonly text: string;
    readonly timestamp: number;
    readonly attached?: readonly { readonly name: string; readonly url: string }[];
  };
}

/** What `SetFilter`, `GetMore` and `Discussion` tell (PBX 5.4). */
export interface AddedMessage {
  readonly mt: 'Add';
  readonly id?: number;
  readonly addsTo?: number;
  readonly repliesTo?: number;
  readonly author: string;
  readonly dn?: string;
  readonly topic: string;
  readonly text: string;
  readonly timestamp: number;
  readonly rtimestamp?: number;
  readonly replies?: number;
  readonly likes?: number;
  readonly like?: boolean;
  readonly read?: boolean;
  readonly unread?: number;
}

/** Which messages a filter is about (PBX 5.4); `op` default `and`. */
export interface MessageFilter {
  readonly op?: 'and' | 'or';
  readonly topics?: readonly string[];
  readonly tags?: readonly string[];
  readonly authors?: readonly string[];
  readonly notifies?: readonly string[];
  readonly filters?: readonly MessageFilter[];
}

type Id = { readonly id: number };
type Credentials = { readonly session?: number; readonly key?: string };

/** The requests of the Messages protocol (PBX 5.3); through the PBX with `api` `PbxMessages`, after `Session`. */
export interface PbxMessagesMessages {
  Session: Op<{ readonly flags?: string }, { readonly session: number }>;
  Post: Op<
    {
      readonly topic: string;
      readonly author?: string;
      readonly text?: string;
      /** 0 normal, 1 chat. */
      readonly type?: number;
      readonly repliesTo?: number;
      readonly notify?: readonly string[];
      readonly tags?: readonly string[];
      readonly attach?: string;
      readonly filterSrc?: string;
    },
    Id & Credentials & { readonly addsTo?: number }
  >;
  ReadChats: Op<{ readonly topic: string; readonly unread?: boolean }, object, ChatSummary>;
  ReadChat: Op<
    {
      readonly topic: string;
      readonly sip: string;
      /** Only messages older than this timestamp. */
      readonly older?: number;
      readonly count?: number;
      /** Only clear the unread state. */
      readonly noind?: boolean;
    },
    object,
    StoredMessage
  >;
  CreateFileBuffer: Op<{ readonly name: string }, { readonly id: number; readonly url: string }>;
  SetRead: Op<Id, Id>;
  Update: Op<
    Id & { readonly text?: string; readonly notify?: readonly string[]; readonly tags?: readonly string[] },
    Credentials
  >;
  Delete: Op<Id>;
  Attachments: Op<
    Id,
    { readonly files: readonly { readonly id: number; readonly url: string; readonly name: string }[] }
  >;
  WriteGroup: Op<{ readonly dn?: string; readonly id?: number }, { readonly id: number; readonly sip: string }>;
  ReadGroups: Op<
    None,
    object,
    { readonly mt: 'ReadGroupsInd'; readonly id: number; readonly sip: string; readonly dn?: string }
  >;
  WriteMember: Op<{ readonly grp: number; readonly member?: string; readonly admin?: boolean; readonly id?: number }>;
  SetFilter: Op<
    { readonly filter: MessageFilter; readonly count?: number; readonly addsTo?: number; readonly liked?: boolean },
    object,
    AddedMessage
  >;
  Discussion: Op<{ readonly discussion: number; readonly count?: number }, object, AddedMessage>;
  ReadTopics: Op<
    { readonly id?: number },
    { readonly id?: number },
    { readonly mt: 'Topic'; readonly id?: number; readonly sip: string; readonly dn?: string }
  >;
  WriteTopic: Op<{ readonly sip?: string; readonly dn?: string; readonly id?: number }, Id>;
}
