import { describe, expect, test } from 'vitest';
import { stepConnection } from './connection-machine.ts';
import {
  type ConnectionInput,
  type ConnectionSettings,
  type ConnectionState,
  type ConnectionStep,
  MAX_TRANSACTIONS,
  newConnection,
} from './connection-state.ts';
import type { Frame, StompVersion } from './frame.ts';

const SETTINGS: ConnectionSettings = {
  label: 'vcfcurjo',
  server: 'tapi-messenger/1.0',
  heartbeatMinMs: 1_000,
  maxSubscriptions: 3,
  maxTransactionBytes: 2_000,
};

/** `SUBSCRIBE id=1 destination=/a | body` */
function frame(text: string): Frame {
  const [head = '', body = ''] = text.split(' | ');
  const [command = '', ...headers] = head.split(' ');
  const pairs = headers.map((h) => [h.slice(0, h.indexOf('=')), h.slice(h.indexOf('=') + 1)] as const);
  return { command, headers: new Map(pairs), body: Buffer.from(body) };
}

function step(state: ConnectionState, input: ConnectionInput | string): ConnectionStep {
  return stepConnection(state, typeof input === 'string' ? { type: 'frame', frame: frame(input) } : input, SETTINGS);
}

function connected(version: StompVersion = '1.2', ...frames: readonly string[]): ConnectionState {
  const accept = version === '1.0' ? '' : ` accept-version=${version}`;
  let { state } = step(newConnection, `CONNECT${accept}`);
  ({ state } = step(state, { type: 'welcome', userName: null }));
  for (const text of frames) ({ state } = step(state, text));
  return state;
}

/** Effects in short: `send CONNECTED`, `error Not connected`, `subscribe 1 /a`, `receipt r`, `close 1002`. */
function told({ effects }: ConnectionStep): string[] {
  return effects.map((effect) => {
    switch (effect.type) {
      case 'send': {
        const message = effect.frame.headers.find(([name]) => name === 'message')?.[1];
        return effect.frame.command === 'ERROR' ? `error ${message ?? ''}` : `send ${effect.frame.command}`;
      }
      case 'check':
        return `check ${effect.login}/${effect.passcode}`;
      case 'subscribe':
      case 'unsubscribe':
        return `${effect.type} ${effect.subscription.id ?? '-'} ${effect.subscription.destination} ${effect.subscription.ack}`;
      case 'request':
        return `request ${effect.frame.headers.get('destination') ?? ''} ${effect.frame.body.toString()}`;
      case 'settle':
        return `${effect.how} ${effect.subscription ?? '-'} ${effect.message}`;
      case 'receipt':
        return `receipt ${effect.id}`;
      case 'close':
        return `close ${effect.code} ${effect.reason}`;
      case 'connected':
        return effect.type;
    }
  });
}

const ended = (message: string): string[] => [`error ${message}`, 'close 1002 STOMP error'];

describe('connecting', () => {
  test.each<[string, string[]]>([
    ['CONNECT login=l passcode=p', ['check l/p']],
    ['STOMP accept-version=1.2 host=x', ['check /']],
    ['CONNECT accept-version=1.1,1.0 heart-beat=10000,10000', ['check /']],
    ['CONNECT accept-version=3.0', ended('Supported versions are 1.0, 1.1 and 1.2')],
    ['CONNECT heart-beat=1', ended('Malformed heart-beat')],
    ['CONNECT heart-beat=-1,0', ended('Malformed heart-beat')],
    ['CONNECT heart-beat=9999999999,0', ended('Malformed heart-beat')],
    ['CONNECT | body', ended('Body not allowed')],
    ['SEND destination=/a', ended('Not connected')],
    ['NONSENSE', ended('Not connected')],
  ])('%s', (text, effects) => expect(told(step(newConnection, text))).toEqual(effects));

  test.each<[string, StompVersion]>([
    ['1.0', '1.0'],
    ['1.1,1.0', '1.1'],
    ['1.0, 1.1, 1.2', '1.2'],
    ['0.9,1.2', '1.2'],
  ])('accept-version %s agrees on %s', (accepted, version) => {
    const headers = new Map([['accept-version', accepted]]);
    const input = { type: 'frame', frame: { command: 'CONNECT', headers, body: Buffer.alloc(0) } } as const;
    expect(stepConnection(newConnection, input, SETTINGS).state.version).toBe(version);
  });

  test('CONNECTED has its headers in the order of TM ST-11', () => {
    const { state } = step(newConnection, 'CONNECT accept-version=1.1,1.0 heart-beat=10000,10000');
    const { effects } = step(state, { type: 'welcome', userName: 'bob' });
    expect(effects).toEqual([
      { type: 'connected' },
      {
        type: 'send',
        frame: {
          command: 'CONNECTED',
          headers: [
            ['version', '1.1'],
            ['heart-beat', '10000,10000'],
            ['session', 'vcfcurjo'],
            ['server', 'tapi-messenger/1.0'],
            ['user-name', 'bob'],
          ],
        },
      },
    ]);
  });

  test('a client of 1.0 gets no version', () => {
    const { effects } = step(step(newConnection, 'CONNECT').state, { type: 'welcome', userName: null });
    expect(JSON.stringify(effects)).not.toContain('version');
  });

  test.each([
    ['bad-credentials', 'Bad CONNECT'],
    ['busy', 'Busy'],
  ] as const)('%s ends it', (reason, message) => {
    const { state } = step(newConnection, 'CONNECT');
    expect(told(step(state, { type: 'unwelcome', reason }))).toEqual(ended(message));
  });

  test('nothing is taken while the login is looked at, and a late verdict changes nothing', () => {
    const { state } = step(newConnection, 'CONNECT');
    expect(told(step(state, 'SEND destination=/a'))).toEqual(ended('Not connected'));
    const { state: over } = step(state, { type: 'gone' });
    expect(told(step(over, { type: 'welcome', userName: null }))).toEqual([]);
  });

  test('overdue', () => expect(told(step(newConnection, { type: 'overdue' }))).toEqual(['close 1002 Timed out']));
});

describe('frames of a connected client', () => {
  test.each<[StompVersion, string[], string, string[]]>([
    ['1.2', [], 'SEND destination=/a | x', ['request /a x']],
    ['1.2', [], 'SEND destination=/a receipt=r', ['request /a ', 'receipt r']],
    ['1.2', [], 'SEND', ended('Missing header')],
    ['1.2', [], 'CONNECT', ended('Already connected')],
    ['1.2', [], 'MESSAGE', ended('Unknown command')],
    ['1.2', [], 'send destination=/a', ended('Unknown command')],
    ['1.2', [], 'SUBSCRIBE id=1 destination=/a receipt=r', ['subscribe 1 /a auto', 'receipt r']],
    ['1.2', [], 'SUBSCRIBE id=1 destination=/a ack=client', ['subscribe 1 /a client']],
    ['1.2', [], 'SUBSCRIBE id=1 destination=/a ack=client-individual', ['subscribe 1 /a client-individual']],
    ['1.0', [], 'SUBSCRIBE id=1 destination=/a ack=client-individual', ended('Unknown ack mode')],
    ['1.2', [], 'SUBSCRIBE id=1 destination=/a ack=x', ended('Unknown ack mode')],
    ['1.2', [], 'SUBSCRIBE destination=/a', ended('Missing header')],
    ['1.0', [], 'SUBSCRIBE destination=/a', ['subscribe - /a auto']],
    ['1.2', [], 'SUBSCRIBE id=1', ended('Missing header')],
    ['1.2', ['SUBSCRIBE id=1 destination=/a'], 'SUBSCRIBE id=1 destination=/a receipt=r', ['receipt r']],
    ['1.2', ['SUBSCRIBE id=1 destination=/a'], 'SUBSCRIBE id=1 destination=/b', ended('Subscription id in use')],
    ['1.2', ['SUBSCRIBE id=1 destination=/a'], 'UNSUBSCRIBE id=1', ['unsubscribe 1 /a auto']],
    ['1.2', [], 'UNSUBSCRIBE id=1 receipt=r', ['receipt r']],
    ['1.2', [], 'UNSUBSCRIBE destination=/a', ended('Missing header')],
    ['1.0', ['SUBSCRIBE destination=/a'], 'UNSUBSCRIBE destination=/a', ['unsubscribe - /a auto']],
    ['1.2', [], 'SUBSCRIBE id=1 destination=/a | body', ended('Body not allowed')],
    ['1.2', [], 'ACK id=m', ['ack - m']],
    ['1.2', [], 'ACK message-id=m', ended('Missing header')],
    ['1.1', [], 'NACK message-id=m subscription=1', ['nack 1 m']],
    ['1.1', [], 'ACK message-id=m', ended('Missing header')],
    ['1.0', [], 'ACK message-id=m', ['ack - m']],
    ['1.0', [], 'NACK message-id=m', ended('Unknown command')],
    ['1.2', [], 'DISCONNECT receipt=r', ['receipt r', 'close 1000 Normal closure']],
    ['1.2', [], 'DISCONNECT', ['close 1000 Normal closure']],
    ['1.2', [], 'BEGIN', ended('Missing header')],
    ['1.2', [], 'BEGIN transaction=t receipt=r', ['receipt r']],
    ['1.2', ['BEGIN transaction=t'], 'BEGIN transaction=t', ended('Transaction in use')],
    ['1.2', [], 'COMMIT transaction=t', ended('Unknown transaction')],
    ['1.2', [], 'ABORT transaction=t', ended('Unknown transaction')],
    ['1.2', [], 'SEND destination=/a transaction=t', ended('Unknown transaction')],
    ['1.2', ['BEGIN transaction=t'], 'SEND destination=/a transaction=t receipt=r', ['receipt r']],
    [
      '1.2',
      [
        'BEGIN transaction=t',
        'SEND destination=/a transaction=t | 1',
        'ACK id=m transaction=t',
        'SEND destination=/b transaction=t | 2',
      ],
      'COMMIT transaction=t receipt=r',
      ['request /a 1', 'ack - m', 'request /b 2', 'receipt r'],
    ],
    ['1.2', ['BEGIN transaction=t', 'SEND destination=/a transaction=t'], 'ABORT transaction=t', []],
    ['1.2', ['BEGIN transaction=t', 'COMMIT transaction=t'], 'COMMIT transaction=t', ended('Unknown transaction')],
  ])('%s %j: %s', (version, before, text, effects) => {
    expect(told(step(connected(version, ...before), text))).toEqual(effects);
  });

  test('an ERROR names the receipt of the frame that it is about', () => {
    const { effects } = step(connected(), 'NONSENSE receipt=r9');
    expect(JSON.stringify(effects)).toContain('["receipt-id","r9"]');
  });

  test('after an ERROR nothing more happens', () => {
    const { state } = step(connected(), 'NONSENSE');
    expect(step(state, 'SEND destination=/a').effects).toEqual([]);
  });
});

describe('bounds', () => {
  test('subscriptions', () => {
    const state = connected('1.2', ...[1, 2, 3].map((n) => `SUBSCRIBE id=${n} destination=/a`));
    expect(told(step(state, 'SUBSCRIBE id=4 destination=/a'))).toEqual(ended('Too many subscriptions'));
    expect(told(step(step(state, 'UNSUBSCRIBE id=1').state, 'SUBSCRIBE id=4 destination=/a'))).toEqual([
      'subscribe 4 /a auto',
    ]);
  });
  test('a subscription that was not granted leaves its place', () => {
    const state = connected('1.2', 'SUBSCRIBE id=1 destination=/a');
    const subscription = { id: '1', destination: '/a', ack: 'auto' } as const;
    expect(step(state, { type: 'not-granted', subscription }).state.subscriptions.size).toBe(0);
  });
  test('open transactions', () => {
    const begins = Array.from({ length: MAX_TRANSACTIONS }, (_, n) => `BEGIN transaction=${n}`);
    expect(told(step(connected('1.2', ...begins), 'BEGIN transaction=x'))).toEqual(ended('Too many transactions'));
  });
  test('what transactions hold, all together', () => {
    const state = connected(
      '1.2',
      'BEGIN transaction=a',
      'BEGIN transaction=b',
      `SEND destination=/a transaction=a | ${'x'.repeat(900)}`,
    );
    expect(told(step(state, `SEND destination=/a transaction=b | ${'x'.repeat(900)}`))).toEqual(
      ended('Transaction too large'),
    );
  });
});
