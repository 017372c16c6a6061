import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Environment } from './environment.ts';
import { callbackOf, framingOf } from './framing.ts';
import type { ReceivingTransport } from './framing.ts';
import { cors, eventSourceCors, noCache, sessionCookie } from './headers.ts';
import { HttpSession } from './http-session.ts';
import { jsonpText, payloadOf, readBody } from './incoming.ts';
import { Receiver } from './receiver.ts';
import { replyEmpty, replyText } from './replies.ts';

/** The sessions over HTTP of one endpoint, and the requests that serve them (TM §2.5). */
export class HttpTransports {
  readonly #environment: Environment;
  readonly #sessions = new Map<string, HttpSession>();

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  has(id: string): boolean {
    return this.#sessions.has(id);
  }

  /** A receiving request (TM SJ-30). */
  receive(req: IncomingMessage, res: ServerResponse, transport: ReceivingTransport, id: string, query: string): void {
    let callback = '';
    if (transport === 'jsonp' || transport === 'htmlfile') {
      const check = callbackOf(query);
      if (!check.ok) return replyText(res, 500, check.reason, noCache);
      callback = check.callback;
    }
    const { clock, options, open } = this.#environment;
    const session = this.#sessions.get(id) ?? this.#create(req, transport, id);
    if (session === undefined) return replyEmpty(res, 503, { ...this.#headers(req, transport), 'Retry-After': 5 });
    // Whatever body there is must be read, or the end of the connection would go unnoticed.
    req.resume();
    watchForSilence(req, options.heartbeatMs);
    const receiver: Receiver = new Receiver({
      res,
      framing: framingOf(transport, callback),
      headers: this.#headers(req, transport),
      clock,
      sendTimeLimitMs: options.sendTimeLimitMs,
      onAborted: () => session.aborted(receiver),
      onProgress: () => session.progressed(),
    });
    session.attach(receiver, () => open(session, req));
  }

  /** `xhr_send` and `jsonp_send` (TM SJ-41). */
  async send(
    req: IncomingMessage,
    res: ServerResponse,
    transport: 'xhr_send' | 'jsonp_send',
    id: string,
  ): Promise<void> {
    const { options } = this.#environment;
    const headers = this.#headers(req, transport);
    const session = this.#sessions.get(id);
    if (session?.isOpen !== true) return replyEmpty(res, 404, headers);
    if (session.sendsUnderWay >= options.maxSendsUnderWay)
      return replyEmpty(res, 429, { ...headers, 'Retry-After': 1 });
    session.sendsUnderWay++;
    try {
      const body = await readBody(req, options.maxBodyBytes);
      if (body.kind === 'aborted') return;
      if (body.kind === 'too-large') return replyEmpty(res, 413, { ...headers, Connection: 'close' });
      const text = body.bytes.toString('utf8');
      const payload = payloadOf(transport === 'jsonp_send' ? jsonpText(text, req.headers['content-type']) : text);
      if (!payload.ok) return replyText(res, 500, payload.reason, headers);
      session.deliver(payload.messages);
      await session.waitUntilResumed();
      if (transport === 'jsonp_send') replyText(res, 200, 'ok', headers);
      else replyEmpty(res, 204, { ...headers, 'Content-Type': 'text/plain; charset=UTF-8' });
    } finally {
      session.sendsUnderWay--;
    }
  }

  closeAll(code: number, reason: string): void {
    for (const session of [...this.#sessions.values()]) {
      session.close(code, reason, 'shutdown');
      session.forget();
    }
  }

  #create(req: IncomingMessage, transport: ReceivingTransport, id: string): HttpSession | undefined {
    const { admission, addressOf, options, clock, turnEnd, onFull } = this.#environment;
    const remoteAddress = addressOf(req);
    if (!admission.enter(remoteAddress)) {
      onFull(remoteAddress);
      return undefined;
    }
    const session = new HttpSession({
      id,
      transport,
      remoteAddress,
      options,
      clock,
      turnEnd,
      forgotten: () => {
        this.#sessions.delete(id);
        admission.leave(remoteAddress);
      },
    });
    this.#sessions.set(id, session);
    return session;
  }

  #headers(req: IncomingMessage, transport: ReceivingTransport | 'xhr_send' | 'jsonp_send'): OutgoingHttpHeaders {
    const cookie = this.#environment.options.cookieNeeded ? sessionCookie(req) : {};
    switch (transport) {
      case 'xhr':
      case 'xhr_streaming':
      case 'xhr_send':
        return { ...noCache, ...cors(req), ...cookie };
      case 'eventsource':
        return { ...noCache, ...eventSourceCors(req), ...cookie };
      case 'htmlfile':
      case 'jsonp_send':
        return { ...noCache, ...cookie };
      case 'jsonp':
        return { ...noCache, ...cookie, 'X-Content-Type-Options': 'nosniff' };
    }
  }
}

/** The system sends its probes for some 10 s before it gives up: a peer that vanished is noticed within one heartbeat. */
function watchForSilence(req: IncomingMessage, heartbeatMs: number): void {
  req.socket.setKeepAlive(true, Math.max(1_000, heartbeatMs - 12_000));
}
