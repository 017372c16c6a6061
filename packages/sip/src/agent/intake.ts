import { dialogId, dialogIdOfRequest } from '../dialogs/index.ts';
import { dialogByRequest } from '../dialogs/index.ts';
import { isSipUri, makeResponse, SyntaxFailure } from '../messages/index.ts';
import type { SipRequest } from '../messages/index.ts';
import { SipError } from '../transactions/index.ts';
import type { ServerTransaction } from '../transactions/index.ts';
import { Call } from './call.ts';
import type { AgentGround } from './ground.ts';
import { IncomingCall } from './incoming-call.ts';
import { IncomingRequest } from './incoming-request.ts';
import { IncomingSubscription } from './incoming-subscription.ts';
import { InviteDialog } from './invite-dialog.ts';
import { DialogLink } from './link.ts';
import { IncomingRefer } from './referral.ts';

/** What comes in outside dialogs. A method that nobody listens to is refused; OPTIONS we answer ourselves. */
export interface AgentEvents {
  invite: IncomingCall;
  subscribe: IncomingSubscription;
  refer: IncomingRefer;
  register: IncomingRequest;
  message: IncomingRequest;
  options: IncomingRequest;
  publish: IncomingRequest;
  notify: IncomingRequest;
  info: IncomingRequest;
  /** Every other method, and those above that nobody listens to by name. */
  request: IncomingRequest;
}

type PlainEvent = 'register' | 'message' | 'options' | 'publish' | 'notify' | 'info';

const PLAIN: ReadonlyMap<string, PlainEvent> = new Map([
  ['REGISTER', 'register'],
  ['MESSAGE', 'message'],
  ['OPTIONS', 'options'],
  ['PUBLISH', 'publish'],
  ['NOTIFY', 'notify'],
  ['INFO', 'info'],
]);

/** What dialogs take whoever listens. */
const ALWAYS: readonly string[] = [
  'INVITE',
  'ACK',
  'CANCEL',
  'BYE',
  'OPTIONS',
  'PRACK',
  'UPDATE',
  'INFO',
  'NOTIFY',
  'REFER',
];

const isKnownMethod = (method: string): boolean =>
  PLAIN.has(method) || ALWAYS.includes(method) || method === 'SUBSCRIBE';

export interface IntakeUser {
  readonly knownOptions: ReadonlySet<string>;
  hears(name: keyof AgentEvents): boolean;
  emit<K extends keyof AgentEvents>(name: K, event: AgentEvents[K]): boolean;
}

/** Judges each request that comes in (RFC 3261 8.2) and gives it to its dialog or to the application. */
export class Intake {
  readonly #ground: AgentGround;
  readonly #user: IntakeUser;
  /** Requests without a To tag that are being answered: Call-ID, From tag and CSeq (RFC 3261 8.2.2.2). */
  readonly #open = new Set<string>();

  constructor(ground: AgentGround, user: IntakeUser) {
    this.#ground = ground;
    this.#user = user;
  }

  get allow(): string {
    const named = ['REGISTER', 'MESSAGE', 'PUBLISH'].filter((m) => this.#user.hears(PLAIN.get(m) ?? 'request'));
    const subscribe = this.#user.hears('subscribe') ? ['SUBSCRIBE'] : [];
    return [...ALWAYS, ...named, ...subscribe].join(', ');
  }

  take(transaction: ServerTransaction, request: SipRequest): void {
    try {
      this.#take(transaction, request);
    } catch (error) {
      // A header that turns out broken when it is read (RFC 3261 8.2, 21.4.1), or no room.
      if (error instanceof SyntaxFailure) this.#refuse(transaction, request, 400, `Bad ${error.what}`);
      else if (error instanceof SipError && error.code === 'too-many-dialogs')
        this.#refuse(transaction, request, 503, undefined);
      else throw error;
    }
  }

  #take(transaction: ServerTransaction, request: SipRequest): void {
    if (request.method === 'CANCEL') return this.#cancel(transaction, request);
    if (request.headers.to?.tag !== undefined) return this.#inDialog(transaction, request);
    const { headers } = request;
    const unknown = headers.require.filter((tag) => !this.#user.knownOptions.has(tag));
    if (unknown.length > 0) return this.#respond(transaction, request, 420, { Unsupported: unknown.join(', ') });
    if (!isSipUri(request.uri) && request.uri.scheme !== 'tel') return this.#respond(transaction, request, 416);
    const key = `${headers.callId ?? ''} ${headers.from?.tag ?? ''} ${headers.get('CSeq') ?? ''}`;
    if (this.#open.has(key)) return this.#respond(transaction, request, 482);
    this.#open.add(key);
    transaction.onGone = () => this.#open.delete(key);
    this.#dispatch(transaction, request);
  }

  #dispatch(transaction: ServerTransaction, request: SipRequest): void {
    switch (request.method) {
      case 'INVITE':
        return this.#invite(transaction, request);
      case 'SUBSCRIBE':
        if (!this.#user.hears('subscribe')) break;
        if (request.headers.event === undefined) return this.#respond(transaction, request, 489);
        this.#user.emit('subscribe', new IncomingSubscription(this.#ground, transaction, request));
        return;
      case 'REFER':
        if (!this.#user.hears('refer')) break;
        return this.#refer(transaction, request);
      case 'BYE':
      case 'UPDATE':
      case 'PRACK':
        return this.#respond(transaction, request, 481);
      default:
    }
    this.#plain(transaction, request);
  }

  #plain(transaction: ServerTransaction, request: SipRequest): void {
    const incoming = new IncomingRequest(transaction, request, this.#ground.ids.next());
    const name = PLAIN.get(request.method);
    if (name !== undefined && this.#user.emit(name, incoming)) return;
    if (this.#user.emit('request', incoming)) return;
    const headers = { Allow: this.allow, Supported: this.#ground.supported };
    if (request.method === 'OPTIONS') incoming.respond(200, { headers: { ...headers, Accept: 'application/sdp' } });
    else incoming.respond(isKnownMethod(request.method) ? 405 : 501, { headers });
  }

  #invite(transaction: ServerTransaction, request: SipRequest): void {
    if (!this.#user.hears('invite')) return this.#respond(transaction, request, 405, { Allow: this.allow });
    const replaced = this.#replaced(request);
    if (typeof replaced === 'number') return this.#respond(transaction, request, replaced);
    const call = new IncomingCall(this.#ground, transaction, request);
    call.replaces = replaced;
    try {
      const minSE = call.dialog.timer.refusal(request.headers);
      if (minSE !== undefined) return call.reject(422, { headers: { 'Min-SE': minSE } });
      this.#user.emit('invite', call);
    } catch (error) {
      // A header that the application was the first to read.
      if (error instanceof SyntaxFailure) call.reject(400, { reason: `Bad ${error.what}` });
      throw error;
    }
  }

  /** RFC 3891 3: the call to be replaced, a status that refuses, or undefined. */
  #replaced(request: SipRequest): Call | number | undefined {
    const { headers } = request;
    const given = headers.replaces;
    if (given === undefined) return undefined;
    const toTag = given.params.get('to-tag');
    const fromTag = given.params.get('from-tag');
    if (toTag === undefined || fromTag === undefined || headers.getAll('Replaces').length > 1) return 400;
    const dialog = this.#ground.dialogs.find(dialogId(given.value, toTag, fromTag));
    if (!(dialog instanceof InviteDialog)) return 481;
    const { call } = dialog;
    if (!(call instanceof Call)) return 481;
    if (call.end !== undefined) return 603;
    const isConfirmed = call.state === 'confirmed' || call.state === 'accepted' || call.state === 'answered';
    if (isConfirmed) return given.params.has('early-only') ? 486 : call;
    // An early call may be replaced by who is being called only: that is, one that we make.
    return call.isOutgoing ? call : 481;
  }

  #refer(transaction: ServerTransaction, request: SipRequest): void {
    const tag = this.#ground.ids.next();
    const incoming = new IncomingRequest(transaction, request, tag);
    const link = new DialogLink(this.#ground, { dialog: dialogByRequest(request, tag), flow: transaction.flow });
    const refer = IncomingRefer.read(this.#ground, link, incoming, () => undefined);
    if (refer !== undefined) this.#user.emit('refer', refer);
  }

  #cancel(transaction: ServerTransaction, cancel: SipRequest): void {
    const invite = this.#ground.layer.findInvite(cancel);
    this.#respond(transaction, cancel, invite === undefined ? 481 : 200);
    invite?.user.onCancel?.(cancel);
  }

  #inDialog(transaction: ServerTransaction, request: SipRequest): void {
    const { callId, to } = request.headers;
    const user =
      this.#ground.dialogs.find(dialogIdOfRequest(request)) ??
      // The first NOTIFY of a subscription, whose sender's tag is news (RFC 6665 4.1.2.4).
      (request.method === 'NOTIFY' ? this.#ground.dialogs.find(dialogId(callId ?? '', to?.tag ?? '', '')) : undefined);
    if (user === undefined) return this.#respond(transaction, request, 481);
    const unknown = request.headers.require.filter((tag) => !this.#user.knownOptions.has(tag));
    if (unknown.length > 0) return this.#respond(transaction, request, 420, { Unsupported: unknown.join(', ') });
    user.onRequest(transaction, request);
  }

  #respond(
    transaction: ServerTransaction,
    request: SipRequest,
    status: number,
    headers?: Record<string, string | number>,
  ): void {
    new IncomingRequest(transaction, request, this.#ground.ids.next()).respond(status, { headers });
  }

  /** As `#respond`, for a request whose headers may be unreadable. */
  #refuse(transaction: ServerTransaction, request: SipRequest, status: number, reason: string | undefined): void {
    if (transaction.isAnswered) return;
    const response = makeResponse(request, status, reason);
    const to = request.headers.get('To') ?? '';
    if (!/;\s*tag\s*=/i.test(to)) response.headers.set('To', `${to};tag=${this.#ground.ids.next()}`);
    if (status === 503) response.headers.set('Retry-After', 10);
    transaction.respond(response);
  }
}
