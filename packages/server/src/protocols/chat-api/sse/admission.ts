import type { FastifyRequest } from 'fastify';
import type { Directory, User } from '../../../core/directory/index.ts';
import { demand } from '../../../core/permissions/index.ts';
import type { Callers } from '../callers.ts';
import { badRequest, noAccount, noEventStream, notSignedIn } from '../errors.ts';
import { parseAddress } from '../jid.ts';
import type { LiveStream } from '../stream.ts';
import type { Streams } from '../streams.ts';
import type { Tokens } from '../tokens.ts';
import { cookieOf } from './cookie.ts';

export interface AdmissionParts {
  readonly directory: Pick<Directory, 'user'>;
  readonly callers: Callers;
  readonly streams: Streams;
  readonly tokens: Tokens;
  readonly domain: string;
}

/** Whose events somebody may read. */
export interface Admitted {
  readonly live: LiveStream;
  /** The browser's cookie is to be set: it came with a ticket, which is spent now. */
  readonly isByTicket: boolean;
}

/** Where a request for events leads: the user in the path, where there is one. */
interface Wish {
  readonly path: string | null;
  readonly account: User | null;
}

/** Who may open which event stream (OF §4.1): by credentials, by a ticket, or by the cookie of the login. */
export async function admit(parts: AdmissionParts, request: FastifyRequest): Promise<Admitted> {
  const path = textOf(request.params, 'user');
  const ticket = textOf(request.query, 'ticket');
  const wish = { path, account: path === null ? null : await accountNamed(parts, path) };
  if ((request.headers.authorization ?? '') !== '')
    return { live: await byCredentials(parts, request, wish), isByTicket: false };
  const ticketed = ticket === null ? null : await byTicket(parts, ticket, wish);
  if (ticketed !== null) return { live: ticketed, isByTicket: true };
  return { live: await byCookie(parts, request, ticket, wish), isByTicket: false };
}

async function byCredentials(
  { callers, streams }: AdmissionParts,
  request: FastifyRequest,
  { path, account }: Wish,
): Promise<LiveStream> {
  const caller = await callers.require(request.raw);
  const user = path === null ? caller.user : account;
  if (path === null && user === null) throw noAccount();
  // A stranger learns nothing about who exists.
  if (user === null) demand(caller.actor, { do: 'administer' });
  else demand(caller.actor, { do: 'receive', of: user.id });
  const live = user === null ? null : await streams.ofUser(user.id);
  if (live === null) throw noEventStream(user?.name ?? path ?? '');
  return live;
}

async function byTicket(
  { tokens, streams }: AdmissionParts,
  ticket: string,
  { path, account }: Wish,
): Promise<LiveStream | null> {
  const spent = tokens.spend(ticket);
  const live = spent === null ? null : await streams.byId(spent);
  return live !== null && (path === null || live.user.id === account?.id) ? live : null;
}

/** A browser: its cookie must be the one of the stream that stands now. One that was good once gets 404, so that it stops. */
async function byCookie(
  { tokens, streams }: AdmissionParts,
  request: FastifyRequest,
  ticket: string | null,
  { account }: Wish,
): Promise<LiveStream> {
  const asked = ticket === null ? null : tokens.streamOf(ticket);
  const ticketed = asked === null ? null : await streams.byId(asked);
  const user = ticketed?.user ?? account;
  const token = user === null ? null : cookieOf(request.headers.cookie, user.id);
  const signed = token === null ? null : tokens.openSession(token);
  if (user === null || signed === null) throw notSignedIn();
  const live = ticketed ?? (await streams.ofUser(user.id));
  if (live?.id !== signed) throw noEventStream(user.name);
  return live;
}

async function accountNamed({ directory, domain }: AdmissionParts, path: string): Promise<User | null> {
  const { name, foreignDomain } = parseAddress(path, domain);
  return foreignDomain === null ? directory.user({ by: 'name', value: name }) : null;
}

/** A text member of a parsed query or path. @throws bad-request where it stands there twice */
export function textOf(of: unknown, name: string): string | null {
  if (typeof of !== 'object' || of === null || !(name in of)) return null;
  const value: unknown = Object.entries(of).find(([key]) => key === name)?.[1];
  if (typeof value !== 'string') throw badRequest(name, 'This parameter is a single text.');
  return value;
}
