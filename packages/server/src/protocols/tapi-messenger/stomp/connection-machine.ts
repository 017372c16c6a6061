import { unreachable } from '../../../kit/index.ts';
import type {
  ConnectionEffect,
  ConnectionInput,
  ConnectionSettings,
  ConnectionState,
  ConnectionStep,
} from './connection-state.ts';
import { subscriptionKey } from './connection-state.ts';
import type { StompError } from './errors.ts';
import { stompErrors } from './errors.ts';
import type { Frame, Header, StompVersion } from './frame.ts';
import { stompVersions } from './frame.ts';
import { stepFrame } from './frame-rules.ts';
import { agreeHeartBeat } from './heart-beat.ts';

/** One STOMP connection (TM §3.3, §3.4) as a pure function. Its driver does what the effects say, one after the other. */
export function stepConnection(
  state: ConnectionState,
  input: ConnectionInput,
  settings: ConnectionSettings,
): ConnectionStep {
  if (state.phase === 'closed') return { state, effects: [] };
  switch (input.type) {
    case 'frame':
      return onFrame(state, input.frame, settings);
    case 'fault':
      return broken(state, input.fault, input.receipt);
    case 'welcome':
      return state.phase === 'checking' ? welcome(state, input.userName, settings) : { state, effects: [] };
    case 'unwelcome':
      return broken(state, input.reason, undefined);
    case 'not-granted':
      return withoutSubscription(state, input.subscription);
    case 'overdue':
      return closed(state, [{ type: 'close', code: 1002, reason: 'Timed out' }]);
    case 'gone':
      return closed(state, []);
    default:
      return unreachable(input);
  }
}

function onFrame(state: ConnectionState, frame: Frame, settings: ConnectionSettings): ConnectionStep {
  const isConnect = frame.command === 'CONNECT' || frame.command === 'STOMP';
  const receipt = frame.headers.get('receipt');
  if (frame.body.length > 0 && frame.command !== 'SEND') return broken(state, 'body-not-allowed', receipt);
  if (state.phase === 'connected') {
    if (isConnect) return broken(state, 'already-connected', receipt);
    const step = stepFrame(state, frame, settings);
    return 'fault' in step ? broken(state, step.fault, receipt) : step;
  }
  return isConnect && state.phase === 'new' ? connect(state, frame, settings) : broken(state, 'not-connected', receipt);
}

/** TM ST-11, ST-12: `host` is neither required nor looked at. */
function connect(state: ConnectionState, { headers }: Frame, settings: ConnectionSettings): ConnectionStep {
  const version = chooseVersion(headers.get('accept-version'));
  if (version === undefined) return broken(state, 'no-common-version', undefined, [['version', '1.0,1.1,1.2']]);
  const heartBeat = agreeHeartBeat(headers.get('heart-beat'), settings.heartbeatMinMs);
  if (heartBeat === undefined) return broken(state, 'bad-heart-beat', undefined);
  const login = headers.get('login') ?? '';
  const passcode = headers.get('passcode') ?? '';
  return { state: { ...state, phase: 'checking', version, heartBeat }, effects: [{ type: 'check', login, passcode }] };
}

function chooseVersion(accepted: string | undefined): StompVersion | undefined {
  if (accepted === undefined) return '1.0';
  const offered = accepted.split(',').map((version) => version.trim());
  return stompVersions.find((version) => offered.includes(version));
}

/** TM ST-11. A client of 1.0 gets no `version`. */
function welcome(state: ConnectionState, userName: string | null, settings: ConnectionSettings): ConnectionStep {
  const { version, heartBeat } = state;
  const headers: readonly Header[] = [
    ...(version === '1.0' ? [] : [['version', version] as const]),
    ['heart-beat', `${heartBeat.sendMs},${heartBeat.expectMs}`],
    ['session', settings.label],
    ['server', settings.server],
    ...(userName === null ? [] : [['user-name', userName] as const]),
  ];
  return {
    state: { ...state, phase: 'connected' },
    effects: [{ type: 'connected' }, { type: 'send', frame: { command: 'CONNECTED', headers } }],
  };
}

/** TM ST-21: an ERROR is always the last frame. */
function broken(
  state: ConnectionState,
  error: StompError,
  receipt: string | undefined,
  more: readonly Header[] = [],
): ConnectionStep {
  const { message, text } = stompErrors[error];
  const headers: readonly Header[] = [
    ['message', message],
    ['content-type', 'text/plain'],
    ...more,
    ...(receipt === undefined ? [] : [['receipt-id', receipt] as const]),
  ];
  return closed(state, [
    { type: 'send', frame: { command: 'ERROR', headers, body: text } },
    { type: 'close', code: 1002, reason: 'STOMP error', fault: error },
  ]);
}

function closed(state: ConnectionState, effects: readonly ConnectionEffect[]): ConnectionStep {
  return { state: { ...state, phase: 'closed', subscriptions: new Map(), transactions: new Map() }, effects };
}

function withoutSubscription(
  state: ConnectionState,
  subscription: { readonly id: string | null; readonly destination: string },
): ConnectionStep {
  const subscriptions = new Map(state.subscriptions);
  subscriptions.delete(subscriptionKey(subscription.id ?? undefined, subscription.destination));
  return { state: { ...state, subscriptions }, effects: [] };
}
