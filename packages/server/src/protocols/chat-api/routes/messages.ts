import { Type } from 'typebox';
import { badRequest } from '../errors.ts';
import { MAX_MESSAGE_BODY_BYTES } from '../limits.ts';
import type { ChatApiParts } from '../parts.ts';
import { parsePosted } from '../posted.ts';
import { parameter, type Route, route, textBody } from '../route.ts';
import { CHAT_STATES } from '../sse/events.ts';

const EMPTY = { status: 200, schema: null };

/** One-to-one messages and chat states (OF §5.2 rows 12 and 13, §5.6). */
export function messageRoutes({
  conversations,
  observer,
}: Pick<ChatApiParts, 'conversations' | 'observer'>): readonly Route[] {
  return [
    route({
      method: 'POST',
      path: '/messages/:to',
      form: 'stream',
      summary: 'Sends a message. When it is answered the message is stored, or, where nobody may store it, received.',
      params: Type.Object({ to: parameter('The receiver: name or address.') }),
      body: textBody('A JSON object whose `body` is the text and which travels as `data`; anything else is the text.'),
      bodyLimit: MAX_MESSAGE_BODY_BYTES,
      answer: EMPTY,
      problems: [
        'no-stream',
        'unknown-user',
        'own-recipient',
        'recipient-unavailable',
        'empty-message',
        'too-large',
        'idempotency-conflict',
      ],
      async handle(ask) {
        const live = await ask.live();
        const to = await ask.named(ask.params.to);
        const { body, data } = parsePosted(ask.body);
        const { message, isRepeat } = await conversations.send(ask.caller.actor, live.user.id, {
          to: to.id,
          type: 'text/plain',
          body,
          attach: [],
          data,
          resource: live.resource,
          idempotencyKey: ask.idempotencyKey,
        });
        if (!isRepeat) observer.messageSent();
        const headers = { 'x-message-id': message.id };
        return { headers: isRepeat ? { ...headers, 'x-idempotent-repeat': 'true' } : headers };
      },
    }),
    route({
      method: 'POST',
      path: '/chatstate/:state/:to',
      form: 'stream',
      summary: 'Tells the other side that the user is typing, or has stopped.',
      params: Type.Object({ state: parameter(CHAT_STATES.join(' ')), to: parameter('The receiver: name or address.') }),
      body: textBody('Ignored.'),
      answer: EMPTY,
      problems: ['no-stream', 'unknown-user', 'bad-request'],
      async handle(ask) {
        const state = CHAT_STATES.find((known) => known === ask.params.state);
        if (state === undefined) throw badRequest('state', `A chat state is one of ${CHAT_STATES.join(', ')}.`);
        const live = await ask.live();
        const to = await ask.named(ask.params.to);
        conversations.typing(ask.caller.actor, live.user.id, { to: to.id, resource: live.resource, state });
        return {};
      },
    }),
  ];
}
