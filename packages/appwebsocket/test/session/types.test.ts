import { expectTypeOf, test } from 'vitest';
import type {
  AppSession,
  JsonObject,
  NodeInfo,
  Op,
  RccCallInfo,
  RccMessages,
  ServicesInfo,
} from '@tieline/appwebsocket';

declare module '@tieline/appwebsocket' {
  interface Apis {
    'com.acme.typed': { Hello: Op<{ readonly name: string }, { readonly text: string }> };
  }
}

/** Checked by the compiler; nothing of it runs. */
const check = (body: (session: AppSession) => unknown): unknown => body;

test('requests and results of the PBX APIs are typed', () => {
  check((session) => {
    expectTypeOf(session.request('PbxApi', 'GetNodeInfo')).resolves.toEqualTypeOf<NodeInfo>();
    expectTypeOf(session.request('RCC', 'UserCall', { user: 1, e164: '201' })).resolves.toEqualTypeOf<
      RccMessages['UserCall']['result']
    >();
    expectTypeOf(session.request('PbxMessages', 'ReadChats', { topic: 'alice' })).resolves.toEqualTypeOf<object>();
    // @ts-expect-error a destination is missing
    void session.request('RCC', 'UserCall', { user: 1 });
    // @ts-expect-error members are needed
    void session.request('PbxApi', 'SubscribePresence');
    // @ts-expect-error there is no such message
    void session.request('PbxApi', 'GetNodeInfos');
  });
});

test('indications are typed', () => {
  check(async (session) => {
    for await (const told of session.subscribe('RCC', 'UserInitialize', { cn: 'Alice' }))
      expectTypeOf(told).toEqualTypeOf<RccCallInfo>();
    for await (const told of session.subscribe('Services', 'SubscribeServices'))
      expectTypeOf(told).toEqualTypeOf<ServicesInfo>();
    const { items } = await session.list('PbxMessages', 'ReadChat', { topic: 'a', sip: 'b' });
    expectTypeOf(items[0]!.msg.timestamp).toEqualTypeOf<number>();
  });
});

test('other APIs are plain objects, and a program may add its own', () => {
  check((session) => {
    expectTypeOf(session.request('com.acme.other', 'X', { y: 1 })).resolves.toEqualTypeOf<JsonObject>();
    expectTypeOf(session.request('com.acme.typed', 'Hello', { name: 'x' })).resolves.toEqualTypeOf<{
      readonly text: string;
    }>();
    // @ts-expect-error the name is missing
    void session.request('com.acme.typed', 'Hello', {});
  });
});
