import type { JsonObject } from '../../kit/index.ts';
import type { UserId } from '../journal/index.ts';
import type { Grant } from '../permissions/index.ts';

/** A person with an account. */
export interface User {
  readonly id: UserId;
  /** Local part everywhere: lower case, unique in one namespace with App objects, workgroups and groups. */
  readonly name: string;
  readonly displayName: string;
  /** Long name: unique; the display name, on collision `displayName (name)`. */
  readonly cn: string;
  /** The extension, or null. Unique. */
  readonly number: string | null;
  readonly email: string | null;
  readonly isAdmin: boolean;
  /** The storage right: a licence to stored chat. */
  readonly hasStorage: boolean;
  readonly isLocked: boolean;
  /** App objects this user may use. */
  readonly apps: readonly string[];
}

export type DeviceKind = 'sip' | 'chat' | 'phone';

/** Something that can ring or chat for a user. */
export interface Device {
  /** `hw`, also its digest user name; unique. */
  readonly id: string;
  readonly user: UserId;
  readonly kind: DeviceKind;
  readonly label: string;
}

/** A program's identity at the PBX. */
export interface App {
  readonly name: string;
  readonly guid: string;
  readonly displayName: string;
  readonly grants: readonly Grant[];
  /** Where its pages and, for app services, its WebSocket are; without extension. */
  readonly url: string | null;
  /** The PBX opens a connection to `url`. */
  readonly hasWebsocket: boolean;
  readonly isHidden: boolean;
  /** App objects it may see (Services). */
  readonly apps: readonly string[];
  /** `all`: it acts for every user; `listed`: for those whose `apps` name it. */
  readonly users: 'all' | 'listed';
}

/** Named set of users. */
export interface Group {
  readonly name: string;
  readonly description: string;
  readonly members: readonly UserId[];
}

/** One side of a contact: `owner` has `contact` in the list. */
export interface Contact {
  readonly owner: UserId;
  readonly contact: UserId;
  readonly nickname: string;
  readonly groups: readonly string[];
  /** 0 none, 1 to, 2 from, 3 both (OF §5.3): 1 and 3 see the contact's presence. */
  readonly subscription: 0 | 1 | 2 | 3;
}

/** A chat stream of the Chat API: one per user, survives restarts. */
export interface ChatStream {
  readonly id: string;
  readonly user: UserId;
  /** `{name}-{random}` */
  readonly resource: string;
  readonly openedAt: number;
}

/** Why a chat stream, and with it every event stream of its user, ends (OF §4.2). */
export type StreamEnd = 'logoff' | 'locked' | 'idle';

/** Free-form settings of a user; the Chat API's properties. */
export type Properties = JsonObject;
