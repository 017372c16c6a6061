import type {
  AckMode,
  ConnectionEffect,
  ConnectionSettings,
  ConnectionState,
  ConnectionStep,
} from './connection-state.ts';
import { MAX_TRANSACTIONS, subscriptionKey } from './connection-state.ts';
import type { StompError } from './errors.ts';
import type { Frame } from './frame.ts';

type Outcome = ConnectionStep | { readonly fault: StompError };

/** What a frame of a connected client does (TM §3.4), or why it ends the session. */
export function stepFrame(state: ConnectionState, frame: Frame, settings: ConnectionSettings): Outcome {
  switch (frame.command) {
    case 'SEND':
      if (!frame.headers.has('destination')) return { fault: 'missing-header' };
      return transactional(state, frame, settings);
    case 'ACK':
    case 'NACK':
      if (frame.command === 'NACK' && state.version === '1.0') return { fault: 'nack-unknown' };
      if (settlementOf(state, frame) === undefined) return { fault: 'missing-header' };
      return transactional(state, frame, settings);
    case 'SUBSCRIBE':
      return subscribe(state, frame, settings);
    case 'UNSUBSCRIBE':
      return unsubscribe(state, frame);
    case 'BEGIN':
    case 'COMMIT':
    case 'ABORT':
      return onTransaction(state, frame);
    case 'DISCONNECT':
      return disconnect(state, frame);
    default:
      return { fault: 'unknown-command' };
  }
}

function done(state: ConnectionState, frame: Frame, effects: readonly ConnectionEffect[] = []): ConnectionStep {
  const receipt = frame.headers.get('receipt');
  return { state, effects: receipt === undefined ? effects : [...effects, { type: 'receipt', id: receipt }] };
}

function effectOf(state: ConnectionState, frame: Frame): readonly ConnectionEffect[] {
  if (frame.command === 'SEND') return [{ type: 'request', frame }];
  return settlementOf(state, frame) ?? [];
}

/** 1.2 names the message by `id`, 1.1 by `message-id` and `subscription`, 1.0 by `message-id`. */
function settlementOf(state: ConnectionState, { command, headers }: Frame): readonly ConnectionEffect[] | undefined {
  const message = headers.get(state.version === '1.2' ? 'id' : 'message-id');
  const subscription = headers.get('subscription');
  if (message === undefined || (state.version === '1.1' && subscription === undefined)) return undefined;
  return [{ type: 'settle', how: command === 'ACK' ? 'ack' : 'nack', subscription: subscription ?? null, message }];
}

function transactional(state: ConnectionState, frame: Frame, settings: ConnectionSettings): Outcome {
  const name = frame.headers.get('transaction');
  if (name === undefined) return done(state, frame, effectOf(state, frame));
  const open = state.transactions.get(name);
  if (open === undefined) return { fault: 'unknown-transaction' };
  const bytes = sizeOf(frame);
  let held = bytes;
  for (const transaction of state.transactions.values()) held += transaction.bytes;
  if (held > settings.maxTransactionBytes) return { fault: 'transaction-too-large' };
  const transactions = new Map(state.transactions);
  transactions.set(name, { frames: [...open.frames, frame], bytes: open.bytes + bytes });
  return done({ ...state, transactions }, frame);
}

/** What a frame costs while it is kept: its octets and the objects around them. */
function sizeOf({ headers, body }: Frame): number {
  let size = 256 + body.length;
  for (const [name, value] of headers) size += 64 + name.length + value.length;
  return size;
}

function onTransaction(state: ConnectionState, frame: Frame): Outcome {
  const name = frame.headers.get('transaction');
  if (name === undefined) return { fault: 'missing-header' };
  const open = state.transactions.get(name);
  const transactions = new Map(state.transactions);
  if (frame.command === 'BEGIN') {
    if (open !== undefined) return { fault: 'transaction-in-use' };
    if (transactions.size >= MAX_TRANSACTIONS) return { fault: 'too-many-transactions' };
    transactions.set(name, { frames: [], bytes: 0 });
    return done({ ...state, transactions }, frame);
  }
  if (open === undefined) return { fault: 'unknown-transaction' };
  transactions.delete(name);
  const effects = frame.command === 'COMMIT' ? open.frames.flatMap((kept) => effectOf(state, kept)) : [];
  return done({ ...state, transactions }, frame, effects);
}

function subscribe(state: ConnectionState, frame: Frame, settings: ConnectionSettings): Outcome {
  const destination = frame.headers.get('destination');
  const id = frame.headers.get('id');
  if (destination === undefined || (id === undefined && state.version !== '1.0')) return { fault: 'missing-header' };
  const ack = ackModeOf(frame.headers.get('ack'), state);
  if (ack === undefined) return { fault: 'bad-ack-mode' };
  const key = subscriptionKey(id, destination);
  const known = state.subscriptions.get(key);
  if (known !== undefined)
    return known.destination === destination ? done(state, frame) : { fault: 'subscription-in-use' };
  if (state.subscriptions.size >= settings.maxSubscriptions) return { fault: 'too-many-subscriptions' };
  const subscription = { id: id ?? null, destination, ack };
  const subscriptions = new Map(state.subscriptions).set(key, subscription);
  return done({ ...state, subscriptions }, frame, [{ type: 'subscribe', subscription, frame }]);
}

function ackModeOf(text: string | undefined, { version }: ConnectionState): AckMode | undefined {
  if (text === undefined || text === 'auto') return 'auto';
  if (text === 'client') return text;
  return text === 'client-individual' && version !== '1.0' ? text : undefined;
}

function unsubscribe(state: ConnectionState, frame: Frame): Outcome {
  const id = frame.headers.get('id');
  const destination = frame.headers.get('destination');
  if (id === undefined && (state.version !== '1.0' || destination === undefined)) return { fault: 'missing-header' };
  const key = subscriptionKey(id, destination ?? '');
  const subscription = state.subscriptions.get(key);
  if (subscription === undefined) return done(state, frame);
  const subscriptions = new Map(state.subscriptions);
  subscriptions.delete(key);
  return done({ ...state, subscriptions }, frame, [{ type: 'unsubscribe', subscription }]);
}

function disconnect(state: ConnectionState, frame: Frame): ConnectionStep {
  const { effects } = done(state, frame);
  return {
    state: { ...state, phase: 'closed', subscriptions: new Map(), transactions: new Map() },
    effects: [...effects, { type: 'close', code: 1000, reason: 'Normal closure' }],
  };
}
