/** The subscriber's side of a subscription (RFC 6665 4.1.2, figure 1). `waiting`: no NOTIFY came yet. */
export type SubscriberState = 'waiting' | 'pending' | 'active' | 'terminated';

export type SubscriberInput =
  /** SUBSCRIBE or REFER is sent. */
  | 'begin'
  /** A final response of 300 and above to the first request. */
  | 'refused'
  | 'notify-pending'
  | 'notify-active'
  | 'notify-terminated'
  /** No NOTIFY within 64*T1. */
  | 'timer-n'
  /** Not refreshed in time. */
  | 'expired'
  /** A refresh was answered by a status that ends it (481, 489 …), or by nothing. */
  | 'lost';

export type SubscriberEffect = 'start-n' | 'stop-n' | 'notified' | 'end';

export interface SubscriberStep {
  readonly state: SubscriberState;
  readonly effects: readonly SubscriberEffect[];
}

const to = (state: SubscriberState, ...effects: SubscriberEffect[]): SubscriberStep => ({ state, effects });

export function stepSubscriber(state: SubscriberState, input: SubscriberInput): SubscriberStep {
  if (state === 'terminated') return to(state);
  const stop: SubscriberEffect[] = state === 'waiting' ? ['stop-n'] : [];
  switch (input) {
    case 'begin':
      return state === 'waiting' ? to(state, 'start-n') : to(state);
    case 'notify-pending':
      return to(state === 'active' ? 'active' : 'pending', ...stop, 'notified');
    case 'notify-active':
      return to('active', ...stop, 'notified');
    case 'notify-terminated':
      return to('terminated', ...stop, 'notified', 'end');
    case 'timer-n':
      return state === 'waiting' ? to('terminated', 'end') : to(state);
    case 'refused':
    case 'expired':
    case 'lost':
      return to('terminated', ...stop, 'end');
  }
}
