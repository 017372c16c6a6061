import { Headers, makeRequest } from '../messages/index.ts';
import type { SipRequest, Uri } from '../messages/index.ts';
import { dialogRoute } from './dialog.ts';
import type { Dialog } from './dialog.ts';

/** RFC 3261 8.1.1.6. */
const FIRST_MAX_FORWARDS = 70;

export interface InDialogRequest {
  readonly dialog: Dialog;
  readonly request: SipRequest;
  readonly nextHop: Uri;
}

/** The next request of ours in a dialog (RFC 3261 12.2.1.1), without Via, Contact and body; and the dialog with its CSeq counted. */
export function nextRequest(dialog: Dialog, method: string): InDialogRequest {
  const counted: Dialog = { ...dialog, localSeq: dialog.localSeq + 1 };
  return { dialog: counted, ...write(counted, method, counted.localSeq) };
}

/** RFC 3261 13.2.2.4: the ACK to a 2xx has the CSeq number of its INVITE. */
export function ackOf2xx(dialog: Dialog, inviteSeq: number): Omit<InDialogRequest, 'dialog'> {
  return write(dialog, 'ACK', inviteSeq);
}

function write(dialog: Dialog, method: string, seq: number): Omit<InDialogRequest, 'dialog'> {
  const { requestUri, route, nextHop } = dialogRoute(dialog);
  const headers = new Headers();
  headers.add('Max-Forwards', FIRST_MAX_FORWARDS);
  for (const value of route) headers.add('Route', value);
  headers.add('From', dialog.local);
  headers.add('To', dialog.remote);
  headers.add('Call-ID', dialog.callId);
  headers.add('CSeq', `${seq} ${method}`);
  return { request: makeRequest({ method, uri: requestUri, headers }), nextHop };
}
