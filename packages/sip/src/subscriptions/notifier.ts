/** The notifier's side of a subscription (RFC 6665 4.2.2, figure 2). `asked`: not answered yet. */
export type NotifierState = 'asked' | 'pending' | 'active' | 'terminated';

export type NotifierInput =
  | 'accept'
  /** Taken, but somebody has to decide. */
  | 'accept-pending'
  | 'reject'
  /** The peer refreshed. */
  | 'refresh'
  /** The peer asked for an end (Expires: 0), or a single look. */
  | 'unsubscribe'
  | 'expired'
  /** We end it. */
  | 'finish'
  /** A NOTIFY was answered by a status that ends it, or by nothing. */
  | 'lost';

/** `notify-last` says `terminated`. */
export type NotifierEffect = 'respond' | 'notify' | 'notify-last' | 'end';

export interface NotifierStep {
  readonly state: NotifierState;
  readonly effects: readonly NotifierEffect[];
}

const to = (state: NotifierState, ...effects: NotifierEffect[]): NotifierStep => ({ state, effects });

export function stepNotifier(state: NotifierState, input: NotifierInput): NotifierStep {
  if (state === 'terminated') return to(state);
  if (input === 'lost') return to('terminated', 'end');
  if (state === 'asked') return stepAsked(input);
  switch (input) {
    case 'accept':
      return to('active', 'notify');
    case 'refresh':
      // RFC 6665 4.2.1.2: every SUBSCRIBE is followed by a NOTIFY.
      return to(state, 'respond', 'notify');
    case 'unsubscribe':
      return to('terminated', 'respond', 'notify-last', 'end');
    case 'reject':
    case 'expired':
    case 'finish':
      return to('terminated', 'notify-last', 'end');
    case 'accept-pending':
      return to(state);
  }
}

function stepAsked(input: NotifierInput): NotifierStep {
  switch (input) {
    case 'accept':
      return to('active', 'respond', 'notify');
    case 'accept-pending':
      return to('pending', 'respond', 'notify');
    case 'unsubscribe':
      return to('terminated', 'respond', 'notify-last', 'end');
    case 'reject':
    case 'finish':
      return to('terminated', 'respond', 'end');
    case 'refresh':
    case 'expired':
    case 'lost':
      return to('asked');
  }
}
