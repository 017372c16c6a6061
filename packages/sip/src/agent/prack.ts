import { judgeReliable } from '../dialogs/index.ts';
import type { ReliableClient } from '../dialogs/index.ts';
import type { SipResponse } from '../messages/index.ts';
import type { Body } from '../offer-answer/index.ts';
import type { DialogLink } from './link.ts';
import type { OutboundUser } from './outbound.ts';

/** The client's side of reliable provisional responses in one dialog (RFC 3262 4). */
export class PrackClient {
  #last: ReliableClient;

  /** What to do with a provisional response: pass it on (and PRACK it where reliable), or drop it. */
  judge(response: SipResponse): 'plain' | 'reliable' | 'drop' {
    const rseq = rseqOf(response);
    if (rseq === undefined) return 'plain';
    if (judgeReliable(this.#last, rseq) !== 'take') return 'drop';
    this.#last = rseq;
    return 'reliable';
  }

  send(link: DialogLink, response: SipResponse, body: Body | undefined, user: OutboundUser): void {
    const seq = response.headers.cseq?.seq ?? 0;
    link.send('PRACK', { headers: { RAck: `${rseqOf(response) ?? 0} ${seq} INVITE` }, body }, user);
  }
}

/** The RSeq of a response that wants a PRACK. */
function rseqOf({ status, headers }: SipResponse): number | undefined {
  if (status <= 100 || status >= 200 || !headers.require.includes('100rel')) return undefined;
  const text = headers.get('RSeq') ?? '';
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}
