import { Type } from 'typebox';
import type { User } from '../../../core/directory/index.ts';
import type { CallId } from '../../../core/journal/index.ts';
import { callView } from '../call-view.ts';
import { badRequest } from '../errors.ts';
import type { ChatApiParts } from '../parts.ts';
import { count, jsonBody, parameter, type Route, route, textBody } from '../route.ts';
import { callMembers } from '../sse/events.ts';

const CallsShape = Type.Object({ call: Type.Array(Type.Object(callMembers)) });
const DialledShape = Type.Object({
  call_id: Type.String({
    description: 'The new call; empty where the telephone system does not say. It shows as an event.',
  }),
  source: Type.String(),
  destination: Type.String(),
});
const Number_ = Type.String({ description: 'A telephone number, with or without separators.', maxLength: 256 });
const OnOff = Type.Union([Type.Boolean(), Type.Enum(['true', 'false'] as const)]);

const EMPTY = { status: 200, schema: null };
const DEFAULT_RECORDS = 50;
/**
 * One page of records.
 * @peer 400, or a shorter page
 * @test chat-api/limits: a page of
 */
const MAX_RECORDS = 200;
const COMMAND_PROBLEMS = [
  'no-such-call',
  'forbidden',
  'wrong-state',
  'not-supported',
  'engine-unavailable',
  'outcome-unknown',
];
const params = Type.Object({ call: parameter('`call_id` of the call.') });

/** Calls of the user's number (ours; design §6). */
export function callRoutes({ calls }: Pick<ChatApiParts, 'calls'>): readonly Route[] {
  const permits = (account: User) => ({ do: 'control-calls', of: account.id, number: account.number ?? '' }) as const;

  const command = (name: 'answer' | 'hangup', summary: string): Route =>
    route({
      method: 'POST',
      path: `/calls/:call/${name}`,
      form: 'account',
      summary,
      params,
      body: textBody('Ignored.'),
      answer: EMPTY,
      problems: COMMAND_PROBLEMS,
      permits,
      async handle(ask) {
        await ask.account();
        await calls[name](ask.caller.actor, { call: callId(ask.params.call), idempotencyKey: ask.idempotencyKey });
        return {};
      },
    });

  return [
    route({
      method: 'GET',
      path: '/calls',
      form: 'account',
      summary: "The live calls of the user's number, oldest first.",
      answer: { status: 200, schema: CallsShape },
      problems: ['no-number'],
      permits,
      async handle(ask) {
        const live = await calls.liveCalls(ask.caller.actor, { user: (await ask.account()).id });
        return { json: { call: live.map(callView) } };
      },
    }),
    route({
      method: 'GET',
      path: '/calls/history',
      form: 'account',
      summary: "Ended calls of the user's number, newest first.",
      query: Type.Object({
        before: Type.Optional(parameter('Only calls older than this one.')),
        max: Type.Optional(count(`At most so many, up to ${MAX_RECORDS}.`)),
      }),
      answer: { status: 200, schema: CallsShape },
      permits,
      async handle(ask) {
        const ended = await calls.history(ask.caller.actor, {
          user: (await ask.account()).id,
          before: ask.query.before === undefined ? null : callId(ask.query.before),
          limit: Math.min(Number(ask.query.max ?? DEFAULT_RECORDS), MAX_RECORDS),
        });
        return { json: { call: ended.map(callView) } };
      },
    }),
    route({
      method: 'POST',
      path: '/calls',
      form: 'account',
      summary: "Dials from the user's number.",
      body: jsonBody(Type.Object({ to: Number_ }), 'Whom to call.'),
      answer: { status: 201, schema: DialledShape },
      problems: [
        'no-number',
        'invalid-number',
        'engine-unavailable',
        'outcome-unknown',
        'call-refused',
        'too-many-requests',
      ],
      permits,
      async handle(ask) {
        const { number } = await ask.account();
        const { idempotencyKey } = ask;
        const dialled = await calls.dial(ask.caller.actor, { from: number, to: ask.body.to, idempotencyKey });
        return {
          status: 201,
          json: { call_id: dialled.call ?? '', source: dialled.from, destination: dialled.to },
        };
      },
    }),
    command('answer', 'Answers a ringing call.'),
    command('hangup', 'Ends a call, or refuses one that rings.'),
    route({
      method: 'POST',
      path: '/calls/:call/hold',
      form: 'account',
      summary: 'Puts a call on hold, or takes it back.',
      params,
      body: jsonBody(Type.Object({ on: Type.Optional(OnOff) }), '`{"on":false}` takes the call back.'),
      answer: EMPTY,
      problems: COMMAND_PROBLEMS,
      permits,
      async handle(ask) {
        await ask.account();
        const on = ask.body.on !== false && ask.body.on !== 'false';
        const { idempotencyKey } = ask;
        await calls.hold(ask.caller.actor, { call: callId(ask.params.call), on, idempotencyKey });
        return {};
      },
    }),
    route({
      method: 'POST',
      path: '/calls/:call/transfer',
      form: 'account',
      summary: 'Transfers a call to a number, or to the far end of another call of the same number.',
      params,
      body: jsonBody(
        Type.Object({ to: Type.Optional(Number_), call: Type.Optional(parameter('The other call.')) }),
        'Either `to` or `call`.',
      ),
      answer: EMPTY,
      problems: [...COMMAND_PROBLEMS, 'invalid-number'],
      permits,
      async handle(ask) {
        await ask.account();
        const { to, call: other } = ask.body;
        if ((to === undefined) === (other === undefined)) throw badRequest('to', 'Say either "to" or "call".');
        await calls.transfer(ask.caller.actor, {
          call: callId(ask.params.call),
          to: to === undefined ? { call: callId(other ?? '') } : { number: to },
          idempotencyKey: ask.idempotencyKey,
        });
        return {};
      },
    }),
  ];
}

function callId(text: string): CallId {
  return text as CallId;
}
