import type { DigestClient } from '../digest/index.ts';
import { ackOf2xx, confirmedBy, idOf, isTargetRefresh, nextRequest, refreshed, takeRequest } from '../dialogs/index.ts';
import type { Dialog } from '../dialogs/index.ts';
import { isSipUri, makeRequest } from '../messages/index.ts';
import type { SipRequest, SipResponse, Uri } from '../messages/index.ts';
import { describeBody } from '../offer-answer/index.ts';
import type { Body } from '../offer-answer/index.ts';
import { SipError } from '../transactions/index.ts';
import type { SentAlone } from '../transactions/index.ts';
import type { Flow } from '../transport/index.ts';
import { addHeaders, contactOn } from './ground.ts';
import type { AgentGround, DialogUser, ExtraHeaders } from './ground.ts';
import { Outbound } from './outbound.ts';
import type { OutboundUser } from './outbound.ts';
import { literalTarget } from './reach.ts';
import type { Hop } from './reach.ts';

export interface LinkOptions {
  readonly dialog: Dialog;
  /** The flow that the dialog was made on. */
  readonly flow: Flow;
  readonly digest?: DigestClient | undefined;
  readonly contactUser?: string | undefined;
}

export interface LinkRequest {
  readonly headers?: ExtraHeaders | undefined;
  readonly body?: Body | undefined;
}

/** A dialog and the way to its peer: makes, sends and takes its requests. */
export class DialogLink {
  readonly #ground: AgentGround;
  readonly #flow: Flow;
  readonly #digest: DigestClient | undefined;
  readonly contact: string;
  #dialog: Dialog;

  constructor(ground: AgentGround, options: LinkOptions) {
    this.#ground = ground;
    this.#flow = options.flow;
    this.#digest = options.digest;
    this.#dialog = options.dialog;
    this.contact = contactOn(
      options.flow,
      options.contactUser ?? ground.settings.contactUser,
      options.dialog.isSecure ? 'sips' : 'sip',
    );
  }

  get dialog(): Dialog {
    return this.#dialog;
  }

  get flow(): Flow {
    return this.#flow;
  }

  /** Puts the dialog into the table. Throws `too-many-dialogs`. */
  enter(user: DialogUser): void {
    this.#ground.dialogs.add(idOf(this.#dialog), user);
  }

  leave(user: DialogUser): void {
    this.#ground.dialogs.remove(idOf(this.#dialog), user);
  }

  /** Takes a request of the peer; false where its CSeq is too low. */
  take(request: SipRequest): boolean {
    const taken = takeRequest(this.#dialog, request);
    if (taken.isTaken) this.#dialog = taken.dialog;
    return taken.isTaken;
  }

  confirm(response: SipResponse): void {
    this.#dialog = confirmedBy(this.#dialog, response);
  }

  /** A 2xx to a target refresh request of ours. */
  refresh(response: SipResponse): void {
    this.#dialog = refreshed(this.#dialog, response);
  }

  nextSeq(): number {
    this.#dialog = { ...this.#dialog, localSeq: this.#dialog.localSeq + 1 };
    return this.#dialog.localSeq;
  }

  send(method: string, { headers, body }: LinkRequest, user: OutboundUser): Outbound {
    const { dialog, request: bare, nextHop } = nextRequest(this.#dialog, method);
    this.#dialog = dialog;
    const request = body === undefined ? bare : makeRequest({ ...bare, body: body.content });
    if (isTargetRefresh(method)) request.headers.add('Contact', this.contact);
    addHeaders(request.headers, headers);
    describeBody(request.headers, body);
    const outbound = new Outbound(this.#ground, {
      request,
      hop: this.#hop(nextHop),
      digest: this.#digest,
      nextSeq: this.#digest === undefined ? undefined : () => this.nextSeq(),
      user,
    });
    return outbound.start();
  }

  /** Sends the ACK to a 2xx; gives it for repetition. */
  acknowledge(inviteSeq: number, body: Body | undefined): SentAlone | Promise<SentAlone> {
    const { request: bare, nextHop } = ackOf2xx(this.#dialog, inviteSeq);
    const request = body === undefined ? bare : makeRequest({ ...bare, body: body.content });
    describeBody(request.headers, body);
    this.#digest?.prepare(request);
    const send = (flow: Flow): SentAlone => this.#ground.layer.sendAlone(request, flow);
    // A target that can't be reached: the way of the INVITE is the best that is left.
    const giveUp = (error: unknown): SentAlone => {
      if (error instanceof SipError) return send(this.#flow);
      throw error;
    };
    try {
      const flows = this.#ground.reach.flows(this.#hop(nextHop));
      if ('then' in flows) return flows.then((found) => send(found[0] ?? this.#flow)).catch(giveUp);
      return send(flows[0] ?? this.#flow);
    } catch (error) {
      return giveUp(error);
    }
  }

  #hop(nextHop: Uri): Hop {
    const flow = this.#flow;
    const isDirect = this.#dialog.routeSet.length === 0;
    // RFC 5626 5.3: whoever came over a connection, or marked its address with `ob`, is reached on that flow only.
    if (isDirect && flow.connection?.isOpen === true) return flow;
    if (!isSipUri(nextHop)) return flow;
    if (isDirect && nextHop.params.has('ob')) return flow;
    const target = literalTarget(nextHop);
    if (target?.protocol !== flow.protocol || target.address.includes(':') !== flow.remote.address.includes(':'))
      return nextHop;
    // The same listener as before: peers and middleboxes know us by it.
    return {
      protocol: flow.protocol,
      local: flow.local,
      remote: { address: target.address, port: target.port },
      serverName: target.address === flow.remote.address ? flow.serverName : undefined,
    };
  }
}
