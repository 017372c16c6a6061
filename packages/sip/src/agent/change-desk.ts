import { judgeInvite, judgeUpdate, lateRetryAfterS } from '../dialogs/index.ts';
import { isSession } from '../offer-answer/index.ts';
import type { Body } from '../offer-answer/index.ts';
import { SipError } from '../transactions/index.ts';
import { Change } from './change.ts';
import type { ChangeUser } from './change.ts';
import { responseTo } from './incoming-request.ts';
import type { IncomingRequest, ResponseOptions } from './incoming-request.ts';
import type { InviteDialog } from './invite-dialog.ts';

/** Answers the peer's changes of the session: re-INVITE, UPDATE and offers in PRACK (RFC 3261 14.2, RFC 3311 5.2, RFC 3262 5). */
export class ChangeDesk implements ChangeUser {
  readonly #dialog: InviteDialog;
  /** Asks the call; false: nobody answers changes. */
  readonly #ask: (change: Change) => boolean;
  #invite: Change | undefined;

  constructor(dialog: InviteDialog, ask: (change: Change) => boolean) {
    this.#dialog = dialog;
    this.#ask = ask;
  }

  /** A re-INVITE of the peer waits for our answer. */
  get hasInvite(): boolean {
    return this.#invite !== undefined;
  }

  take(incoming: IncomingRequest): void {
    const dialog = this.#dialog;
    const change = new Change(incoming, this);
    if (this.#collides(change)) return;
    const minSE = incoming.method === 'PRACK' ? undefined : dialog.timer.refusal(incoming.request.headers);
    if (minSE !== undefined) return void incoming.respond(422, { headers: { 'Min-SE': minSE } });
    if (change.offer === undefined && change.method !== 'INVITE') return void change.accept();
    const { remoteBody, localBody } = dialog;
    if (change.offer !== undefined) dialog.trackOffer('receive', change.offer);
    if (change.method === 'INVITE') {
      this.#invite = change;
      // RFC 3261 9.2: the peer takes it back.
      incoming.transaction.user = { onCancel: () => change.reject(487) };
    }
    // What the peer offered before is a refresh (RFC 4028 7.4): it gets what it got then.
    if (localBody !== undefined && dialog.isConfirmed && isSame(change.offer, remoteBody))
      return void change.accept(localBody);
    if (!this.#ask(change)) change.reject(488);
  }

  acceptChange(change: Change, body: Body | undefined): Promise<Body | undefined> {
    const dialog = this.#dialog;
    const { incoming } = change;
    const session = isSession(body) ? body : undefined;
    if (change.offer !== undefined && session === undefined)
      return Promise.reject(new SipError('wrong-state', 'an offer needs an answer'));
    if (session !== undefined) dialog.trackOffer('send', session);
    const response = responseTo(incoming.request, 200, '', { body });
    if (change.method !== 'PRACK') {
      const { headers } = response;
      headers.set('Contact', dialog.link.contact);
      headers.set('Allow', dialog.ground.allow);
      headers.set('Supported', dialog.ground.supported);
      dialog.timer.agree(incoming.request.headers, headers);
    }
    if (change.method !== 'INVITE') {
      incoming.transaction.respond(response);
      return Promise.resolve(undefined);
    }
    this.#invite = undefined;
    return new Promise((resolve) => {
      dialog.sendOk(incoming, response, resolve);
    });
  }

  rejectChange(change: Change, status: number, options: ResponseOptions): void {
    if (this.#invite === change) this.#invite = undefined;
    if (change.offer !== undefined) this.#dialog.trackOffer('failed');
    change.incoming.respond(status, options);
  }

  close(): void {
    this.#invite?.reject(487);
  }

  #collides(change: Change): boolean {
    const dialog = this.#dialog;
    const work = {
      hasOwnInvite: dialog.hasOwnChange,
      hasPeerInvite: this.hasInvite,
      hasOwnOffer: dialog.offers.name === 'offered',
      hasPeerOffer: dialog.offers.name === 'owing',
    };
    const verdict = change.method === 'INVITE' ? judgeInvite(work) : judgeUpdate(work, change.offer !== undefined);
    if (verdict === 'pending') change.incoming.respond(491);
    if (verdict === 'late')
      change.incoming.respond(500, { headers: { 'Retry-After': lateRetryAfterS(dialog.ground.random) } });
    return verdict !== 'ok';
  }
}

function isSame(a: Body | undefined, b: Body | undefined): boolean {
  return a !== undefined && b !== undefined && a.type === b.type && Buffer.compare(a.content, b.content) === 0;
}
