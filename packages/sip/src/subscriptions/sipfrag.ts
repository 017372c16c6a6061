import { reasonOf } from '../messages/index.ts';
import { textBody, textOf, type Body } from '../offer-answer/index.ts';

/** The state of a call that somebody was referred to (RFC 3515 2.4.5, RFC 3420): the status line of the latest response. */
export function sipfrag(status: number, reason = reasonOf(status)): Body {
  return textBody('message/sipfrag;version=2.0', `SIP/2.0 ${status} ${reason}\r\n`);
}

export function statusOfSipfrag(body: Body | undefined): number | undefined {
  if (body === undefined) return undefined;
  const match = /^SIP\/2\.0 ([1-6]\d\d)(?: |\r|\n|$)/.exec(textOf(body));
  return match === null ? undefined : Number(match[1]);
}
