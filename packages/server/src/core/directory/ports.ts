import type { Position, UserId } from '../journal/index.ts';
import type { App, ChatStream, Contact, Device, Group, StreamEnd, User } from './model.ts';

/** What is kept of a user besides what everybody may see. */
export interface UserSecrets {
  /** `argon2id$…`; see passwords.ts. */
  readonly passwordHash: string;
}

export type UserKey =
  { readonly by: 'id'; readonly value: UserId } | { readonly by: 'name' | 'number' | 'cn'; readonly value: string };

/** Sealed with the vault (AES-256-GCM): bytes in base64, with the key's id. */
export type Sealed = string;

/** What a sealed secret belongs to. */
export type SecretOwner = 'user' | 'device' | 'app';

/** `owner`: the id of a user or a device, the name of an App object. */
export interface SealedSecret {
  readonly owner: string;
  readonly secret: Sealed;
}

/** Changes. Each appends one `directory` entry to the directory stream unless it says otherwise. */
export interface DirectoryUnits {
  /** @throws name-taken | number-taken. `cn` is made unique by the store: `displayName (name)` on collision. */
  'directory.add-user': {
    input: {
      user: Omit<User, 'cn'>;
      secrets: UserSecrets;
      sealedMyApps: Sealed | null;
      device: Device & { secret: Sealed };
    };
    output: User;
  };
  /** Absent members stay. A locked user's chat stream ends. @throws unknown-user | name-taken | number-taken */
  'directory.change-user': {
    input: { id: UserId; change: Partial<Omit<User, 'id' | 'cn'>>; secrets?: UserSecrets };
    output: User;
  };
  /** Deletes the user with devices, contacts, memberships and streams; messages stay. @throws unknown-user */
  'directory.remove-user': { input: { id: UserId }; output: null };
  /** @throws name-taken */
  'directory.add-device': { input: { device: Device; secret: Sealed }; output: null };
  /** @throws name-taken */
  'directory.add-app': { input: { app: App; secret: Sealed }; output: null };
  /** @throws name-taken */
  'directory.add-group': { input: { group: Group }; output: null };
  /** Adds or replaces one side. @throws unknown-user */
  'directory.set-contact': { input: { contacts: readonly Contact[] }; output: null };
  /** @throws unknown-contact */
  'directory.remove-contact': { input: { owner: UserId; contact: UserId }; output: null };
  /** Application sessions of the demo and of the `database` lookup. No entry. */
  'directory.set-application-session': { input: { session: string; user: UserId }; output: null };
  /** Opens the user's stream, or returns the one that stands, which is used by that. No entry. */
  'directory.open-stream': {
    input: { stream: ChatStream };
    output: { stream: ChatStream; isNew: boolean; cursor: Position };
  };
  /** Ends a stream and keeps `cursor`: what came later is delivered at the next login. Its entry is `stream-ended`. */
  'directory.close-stream': { input: { id: string; cursor: Position; reason: StreamEnd }; output: null };
  /** These streams were in use until `at`. No entry. */
  'directory.use-streams': { input: { ids: readonly string[]; at: number }; output: null };
  /** Ends streams that nobody has used since `before`, at most `limit`; says how many. An entry each. */
  'directory.end-idle-streams': { input: { before: number; limit: number }; output: number };
  /** How far a user's streams have been told. Never moves back. No entry. */
  'directory.move-cursor': { input: { moves: readonly { user: UserId; cursor: Position }[] }; output: null };
  /** Puts `to` where still `from` stands. No entry: what it opens to is the same. The output counts what was replaced. */
  'directory.reseal': {
    input: { kind: SecretOwner; secrets: readonly { owner: string; from: Sealed; to: Sealed }[] };
    output: number;
  };
}

export interface DirectoryQueries {
  'directory.user': { input: UserKey; output: User | null };
  /** Users in `cn` order after `after`; `search`: case-insensitive substring of name, display name, number or e-mail. */
  'directory.users': { input: { search: string | null; after: string | null; limit: number }; output: readonly User[] };
  'directory.secrets': {
    input: { id: UserId };
    output: (UserSecrets & { readonly sealedMyApps: Sealed | null }) | null;
  };
  'directory.devices': { input: { user: UserId }; output: readonly Device[] };
  'directory.device': { input: { id: string }; output: { device: Device; secret: Sealed } | null };
  'directory.app': { input: { name: string }; output: { app: App; secret: Sealed } | null };
  'directory.apps': { input: null; output: readonly App[] };
  'directory.groups': { input: null; output: readonly Group[] };
  /** Whom `owner` lists. */
  'directory.contacts': { input: { owner: UserId }; output: readonly Contact[] };
  /** Who lists `contact`. */
  'directory.listed-by': { input: { contact: UserId }; output: readonly Contact[] };
  'directory.application-session': { input: { session: string }; output: UserId | null };
  'directory.stream': {
    input: { by: 'id'; id: string } | { by: 'user'; user: UserId };
    output: { stream: ChatStream; cursor: Position } | null;
  };
  /** All sealed secrets, in the order of their owners. */
  'directory.sealed': {
    input: { kind: SecretOwner; after: string | null; limit: number };
    output: readonly SealedSecret[];
  };
  'directory.is-empty': { input: null; output: boolean };
}

/** Something in the directory changed; caches drop what they hold of it. */
export interface DirectoryChanged {
  readonly kind: 'directory';
  readonly what: 'user' | 'device' | 'app' | 'group' | 'contact';
  /** The user's id, the device's id, the App's or group's name; for contacts the owner's id. */
  readonly id: string;
}

/** A chat stream is no more, on whatever node that was decided. In the directory stream. */
export interface StreamEnded {
  readonly kind: 'stream-ended';
  readonly stream: string;
  readonly reason: StreamEnd;
}
