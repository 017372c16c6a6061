/** What a client asked for, what is wrong with it, and what a server with replies says. */
export type Heard = { readonly violation: string | null; readonly reply: string } & (
  | { readonly kind: 'listen' | 'stop'; readonly number: string }
  | { readonly kind: 'call'; readonly from: string; readonly to: string }
  | { readonly kind: 'ping'; readonly token: string }
  | { readonly kind: 'nothing' }
);

const NUMBER = /^\+?[0-9*#]{1,32}$/;

/** Judges one payload against the registered numbers (TM §5.2, §5.7). Pure. */
export function stepNumbers(registered: ReadonlySet<string>, payload: string): Heard {
  const [name, first = '', second = ''] = payload.split(',');
  switch (name) {
    case 'LISTEN':
      if (!NUMBER.test(first)) return wrong(payload, 'BAD_REQUEST');
      if (registered.has(first)) return wrong(`already registered: ${payload}`, 'ALREADY_REGISTERED');
      return { kind: 'listen', number: first, violation: null, reply: `OK,${payload}` };
    case 'STOPLISTEN':
      if (!NUMBER.test(first)) return wrong(payload, 'BAD_REQUEST');
      return { kind: 'stop', number: first, violation: null, reply: `OK,${payload}` };
    case 'CALL':
    case 'HANGUP':
      return stepCall(registered, payload, { name, first, second });
    case 'PING':
      return { kind: 'ping', token: first, violation: null, reply: '' };
    default:
      return wrong(`unknown: ${payload}`, 'BAD_REQUEST');
  }
}

function stepCall(
  registered: ReadonlySet<string>,
  payload: string,
  { name, first, second }: { readonly name: string; readonly first: string; readonly second: string },
): Heard {
  if (!NUMBER.test(first) || (name === 'CALL' && !NUMBER.test(second))) return wrong(payload, 'BAD_REQUEST');
  if (!registered.has(first)) return wrong(`not registered: ${payload}`, 'NOT_REGISTERED');
  if (name === 'HANGUP') return { kind: 'nothing', violation: null, reply: `OK,${payload}` };
  return { kind: 'call', from: first, to: second, violation: null, reply: `OK,${payload}` };
}

function wrong(violation: string, code: string): Heard {
  return { kind: 'nothing', violation, reply: `ERROR,${code}` };
}
