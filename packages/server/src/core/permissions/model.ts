import type { UserId } from '../journal/index.ts';

/** APIs that an App object may be granted (PBX §1, flags). */
export const GRANTS = [
  'PbxApi',
  'PbxSignal',
  'EpSignal',
  'PbxMessages',
  'PbxTableUsers',
  'PbxAdminApi',
  'Services',
  'RCC',
  'PbxImpersonation',
] as const;
export type Grant = (typeof GRANTS)[number];

/** Who asks. Made by a surface after it has authenticated somebody, and by nobody else. */
export type Actor =
  | { readonly kind: 'user'; readonly user: UserId; readonly admin: boolean }
  /** An App object: acts for the users that may use it, within its granted APIs. */
  | { readonly kind: 'app'; readonly id: UserId; readonly app: string; readonly grants: readonly Grant[] }
  /** An application session (Tapi Messenger): its user's telephone, never chat. */
  | { readonly kind: 'telephone'; readonly user: UserId | null; readonly number: string }
  /** A trusted server, known by the shared secret. */
  | { readonly kind: 'server' }
  /** Nobody in particular. */
  | { readonly kind: 'anonymous' };

/** What somebody wants to do, and whose it is. */
export type Action =
  | { readonly do: 'chat'; readonly as: UserId }
  | { readonly do: 'read-history'; readonly of: UserId }
  | { readonly do: 'receive'; readonly of: UserId }
  | { readonly do: 'set-presence'; readonly of: UserId }
  | { readonly do: 'see-presence'; readonly of: UserId }
  | { readonly do: 'edit-contacts'; readonly of: UserId }
  | { readonly do: 'listen-calls'; readonly of: UserId | null; readonly number: string }
  | { readonly do: 'control-calls'; readonly of: UserId | null; readonly number: string }
  | { readonly do: 'use-api'; readonly api: Grant }
  | { readonly do: 'administer' };
