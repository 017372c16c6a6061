import { Type } from 'typebox';
import { demand } from '../../../core/permissions/index.ts';
import type { Presence, Show } from '../../../core/presence/index.ts';
import { bareJid } from '../jid.ts';
import type { ChatApiParts } from '../parts.ts';
import { parameter, type Route, route, textBody } from '../route.ts';
import { SHOWS } from '../sse/events.ts';
import { PresenceShape } from './shapes.ts';

/** Presence (OF §5.2 row 3), and reading it (ours). */
export function presenceRoutes({ presence, domain }: Pick<ChatApiParts, 'presence' | 'domain'>): readonly Route[] {
  return [
    route({
      method: 'POST',
      path: '/presence',
      form: 'stream',
      summary: "Sets the stream's presence. Contacts that see the user are told.",
      query: Type.Object({
        show: Type.Optional(parameter(`${SHOWS.join(' ')}; absent or unknown: available.`)),
        status: Type.Optional(Type.String({ description: 'A note.', maxLength: 1_024 })),
      }),
      body: textBody('Ignored.'),
      answer: { status: 200, schema: null },
      problems: ['no-stream'],
      permits: (account) => ({ do: 'set-presence', of: account.id }),
      async handle(ask) {
        (await ask.live()).setPresence(showOf(ask.query.show), ask.query.status ?? '');
        return {};
      },
    }),
    route({
      method: 'GET',
      path: '/presence',
      form: 'account',
      summary: 'The presence of the user, over all sessions.',
      answer: { status: 200, schema: PresenceShape },
      permits: (account) => ({ do: 'see-presence', of: account.id }),
      async handle(ask) {
        const account = await ask.account();
        return { json: presenceEntity(await presence.now(account.id), bareJid(account.name, domain)) };
      },
    }),
    route({
      method: 'GET',
      path: '/presence/:of',
      form: 'account',
      summary: 'The presence of somebody else.',
      params: Type.Object({ of: parameter('Name or address.') }),
      answer: { status: 200, schema: PresenceShape },
      problems: ['unknown-user'],
      permits: (account) => ({ do: 'see-presence', of: account.id }),
      async handle(ask) {
        const user = await ask.named(ask.params.of);
        demand(ask.caller.actor, { do: 'see-presence', of: user.id });
        return { json: presenceEntity(await presence.now(user.id), bareJid(user.name, domain)) };
      },
    }),
  ];
}

/** OF §5.2: absent and unknown mean available. */
export function showOf(text: string | undefined): Show {
  return SHOWS.find((show) => show === text) ?? 'available';
}

function presenceEntity(presence: Presence, jid: string) {
  return {
    jid,
    show: presence.isOnline ? presence.show : 'offline',
    status: presence.status,
    available: presence.isOnline,
    onPhone: presence.isOnPhone,
  };
}
