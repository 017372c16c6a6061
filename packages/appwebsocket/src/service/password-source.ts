import type { PasswordAnswer, PasswordRequest } from '../handshake/acceptor-model.ts';
import { isPromise } from './promises.ts';
import type { FoundPassword, PasswordSource } from './service-options.ts';

/** What the owner of the passwords answers, in the handshake's words. Rejects where the look-up does. */
export function askPassword(
  source: PasswordSource,
  request: PasswordRequest,
): PasswordAnswer | Promise<PasswordAnswer> {
  const found = typeof source === 'function' ? source(request) : source;
  return isPromise(found) ? Promise.resolve(found).then(answerOf) : answerOf(found);
}

function answerOf(found: FoundPassword): PasswordAnswer {
  if (found === undefined) return { passwords: [] };
  if (typeof found === 'string') return { passwords: [found] };
  return 'length' in found ? { passwords: found } : found;
}
