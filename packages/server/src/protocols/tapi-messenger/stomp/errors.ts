/** Why a session ends with an ERROR frame: `message` is its header, `text` its body (TM ST-21). Codes are stable. */
export const stompErrors = {
  'not-connected': { message: 'Not connected', text: 'The first frame must be CONNECT or STOMP.' },
  'already-connected': { message: 'Already connected', text: 'This session has been connected before.' },
  'no-common-version': {
    message: 'Supported versions are 1.0, 1.1 and 1.2',
    text: 'accept-version names none of them.',
  },
  'bad-credentials': { message: 'Bad CONNECT', text: 'Login or passcode is wrong.' },
  'too-many-attempts': { message: 'Bad CONNECT', text: 'Too many failed logins from this address; wait.' },
  busy: { message: 'Busy', text: 'The server cannot check logins at the moment; try again.' },
  'bad-heart-beat': { message: 'Malformed heart-beat', text: 'heart-beat is two whole numbers with a comma.' },
  'unknown-command': { message: 'Unknown command', text: 'There is no such command.' },
  'missing-header': { message: 'Missing header', text: 'A required header is missing.' },
  'bad-ack-mode': { message: 'Unknown ack mode', text: 'ack is auto, client or, since 1.1, client-individual.' },
  'subscription-in-use': { message: 'Subscription id in use', text: 'This id belongs to another destination.' },
  'too-many-subscriptions': { message: 'Too many subscriptions', text: 'A session may not have more subscriptions.' },
  'unknown-transaction': { message: 'Unknown transaction', text: 'No transaction of this name is open.' },
  'transaction-in-use': { message: 'Transaction in use', text: 'A transaction of this name is open already.' },
  'too-many-transactions': { message: 'Too many transactions', text: 'A session may not have more open transactions.' },
  'transaction-too-large': { message: 'Transaction too large', text: 'The open transactions hold too much.' },
  'nack-unknown': { message: 'Unknown command', text: 'STOMP 1.0 has no NACK.' },
  'body-not-allowed': { message: 'Body not allowed', text: 'Only SEND may have a body.' },
  'frame-too-large': { message: 'Frame too large', text: 'The frame is larger than this server takes.' },
  'too-many-headers': { message: 'Too many headers', text: 'The frame has more headers than this server takes.' },
  'header-too-long': { message: 'Header too long', text: 'A line is longer than this server takes.' },
  'malformed-header': { message: 'Malformed frame', text: 'A header is a name, a colon and a value.' },
  'bad-escape': { message: 'Malformed header', text: 'An escape sequence is not defined in this version.' },
  'bad-content-length': { message: 'Malformed frame', text: 'No NUL follows the octets that content-length counts.' },
  'too-much-input': { message: 'Too much at once', text: 'Frames arrive faster than they can be handled.' },
  internal: { message: 'Internal error', text: 'Something went wrong here. It has been logged.' },
} as const;

export type StompError = keyof typeof stompErrors;
