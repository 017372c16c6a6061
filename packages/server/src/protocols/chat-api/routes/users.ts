import { Type } from 'typebox';
import type { User } from '../../../core/directory/index.ts';
import { bareJid } from '../jid.ts';
import { MAX_USERS } from '../limits.ts';
import type { ChatApiParts } from '../parts.ts';
import { count, parameter, type Route, route } from '../route.ts';
import { UsersShape } from './shapes.ts';

const DEFAULT_USERS = 100;

/** Search of users (OF §5.4). */
export function userRoutes({ directory, domain }: Pick<ChatApiParts, 'directory' | 'domain'>): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/users',
      form: 'plain',
      summary: 'Users whose name, display name, e-mail or number contains a text, in the order of their names.',
      query: Type.Object({
        search: Type.Optional(
          parameter('A part of the name; `*` for everybody. Absent: nobody, or everybody for an administrator.'),
        ),
        after: Type.Optional(parameter('Continues after the user of this name.')),
        limit: Type.Optional(count(`At most so many, up to ${MAX_USERS}.`)),
      }),
      answer: { status: 200, schema: UsersShape },
      async handle(ask) {
        const { caller, query } = ask;
        const isAll = caller.actor.kind === 'server' || (caller.actor.kind === 'user' && caller.actor.admin);
        const search = query.search ?? '';
        if (search === '' && !isAll) return { json: { user: [] } };
        const words = search.replaceAll('*', '');
        const after = query.after === undefined ? null : (await ask.named(query.after)).cn;
        const limit = Math.min(Number(query.limit ?? DEFAULT_USERS), MAX_USERS);
        const users = await directory.users({ search: words === '' ? null : words, after, limit });
        return { json: { user: users.map((user) => userEntity(user, domain)) } };
      },
    }),
  ];
}

function userEntity(user: User, domain: string) {
  return {
    username: user.name,
    name: user.displayName,
    ...(user.email === null ? {} : { email: user.email }),
    jid: bareJid(user.name, domain),
    ...(user.number === null ? {} : { number: user.number }),
  };
}
