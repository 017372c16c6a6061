import { openCarrier } from '#carrier';
import type { Carrier, CarrierOptions } from '../platform/carrier.ts';
import type { Credentials, InitiatorEffect, InitiatorInput, InitiatorSettings } from '../handshake/initiator-model.ts';
import { initiatorStart, initiatorStep } from '../handshake/initiator.ts';
import { KEEP_ALIVE_TEXT } from '../wire/base-messages.ts';
import {
  KEEP_ALIVE_MS,
  LOGIN_TIMEOUT_MS,
  MAX_PAUSED_BYTES,
  MAX_SEND_BUFFER_BYTES,
  PEER_DEAD_MS,
} from '../wire/bounds.ts';
import type { Envelope } from '../wire/envelope.ts';
import type { ErrorCode } from '../wire/errors.ts';
import { AppWebsocketError, ERRORS } from '../wire/errors.ts';
import { FlowGate } from './flow-gate.ts';

/** Intervals of a connection; the defaults are those of AW §5.4 and §8.4. */
export interface LinkTimes {
  /** KeepAlive after so much silence; 0 switches it off. */
  readonly keepAliveMs?: number | undefined;
  /** Without a frame for so long the peer is taken for dead; 0 switches it off. */
  readonly deadAfterMs?: number | undefined;
  readonly loginTimeoutMs?: number | undefined;
}

export interface LinkOptions extends LinkTimes, CarrierOptions {
  readonly url: string;
  readonly settings: InitiatorSettings;
}

export interface LinkEvents {
  readonly challenge: (app: string, challenge: string) => void;
  readonly ready: (domain: string) => void;
  readonly message: (envelope: Envelope, text: string) => void;
  readonly baseAnswer: (envelope: Envelope) => void;
  /** Once and last. Without an error it was closed from this side. */
  readonly closed: (error: AppWebsocketError | undefined) => void;
}

/** One life of an initiator's connection: socket, handshake, KeepAlive, flow control. */
export class Link {
  readonly gate: FlowGate<{ readonly envelope: Envelope; readonly text: string }>;
  readonly carrier: Carrier;
  readonly #options: LinkOptions;
  readonly #events: LinkEvents;
  #state;
  #error: AppWebsocketError | undefined;
  #isOver = false;
  #loginTimer: ReturnType<typeof setTimeout> | undefined;
  #aliveTimer: ReturnType<typeof setTimeout> | undefined;
  #heardAtMs = performance.now();
  /** KeepAlives since the peer was last heard. */
  #unanswered = 0;
  #hasHeardEcho = false;
  #isHeld = false;

  constructor(options: LinkOptions, events: LinkEvents) {
    this.#options = options;
    this.#events = events;
    this.#state = initiatorStart(options.settings);
    this.gate = new FlowGate(
      ({ envelope, text }) => events.message(envelope, text),
      (isHeld) => this.#holdBack(isHeld),
    );
    this.carrier = openCarrier(
      options.url,
      {
        opened: () => this.#onOpened(),
        text: (text) => this.#onText(text),
        alive: () => this.#heard(),
        closed: (code, reason, cause) => this.#onClosed(code, reason, cause),
      },
      options,
    );
  }

  get sessionKey(): string | undefined {
    return this.#state.phase === 'ready' ? this.#state.sessionKey : undefined;
  }

  /** Throws `slow-peer` while more than `MAX_SEND_BUFFER_BYTES` wait in the socket. */
  send(text: string): void {
    if (this.carrier.bufferedBytes > MAX_SEND_BUFFER_BYTES) throw new AppWebsocketError('slow-peer');
    this.carrier.send(text);
  }

  /** Sends what the program did not ask for: a peer that goes on asking without reading is closed. */
  answer(text: string): void {
    if (this.carrier.bufferedBytes > MAX_SEND_BUFFER_BYTES) this.#fail('slow-peer');
    else this.carrier.send(text);
  }

  auth(credentials: Credentials): void {
    this.#step({ type: 'auth', credentials });
  }

  /** Ends this life. `error` says why, where it was not wished for. */
  close(error?: AppWebsocketError, code = 1000): void {
    if (!this.#isOver) {
      this.#isOver = true;
      this.#error = error;
      this.carrier.close(code, error === undefined ? '' : ERRORS[error.code].text);
    }
    // What is held back would hold back the end too.
    this.gate.clear();
  }

  /** Ends it without waiting for a peer that does not listen. */
  #fail(code: ErrorCode): void {
    this.close(new AppWebsocketError(code), 1013);
    this.carrier.destroy();
  }

  #onOpened(): void {
    if (this.#isOver) return;
    const { loginTimeoutMs = LOGIN_TIMEOUT_MS, keepAliveMs = KEEP_ALIVE_MS } = this.#options;
    this.#loginTimer = setTimeout(() => this.#step({ type: 'login-timeout' }), loginTimeoutMs);
    this.#heard();
    if (keepAliveMs > 0) this.#watch(keepAliveMs);
    this.#step({ type: 'opened' });
  }

  #onText(text: string): void {
    this.#heard();
    this.#hasHeardEcho ||= text.length < 64 && text.includes('"KeepAlive"');
    this.#step({ type: 'text', text });
  }

  #heard(): void {
    this.#heardAtMs = performance.now();
    this.#unanswered = 0;
  }

  #step(input: InitiatorInput): void {
    if (this.#isOver) return;
    const { state, effects } = initiatorStep(this.#state, input, this.#options.settings);
    this.#state = state;
    for (const effect of effects) this.#carryOut(effect);
  }

  #carryOut(effect: InitiatorEffect): void {
    switch (effect.type) {
      case 'send':
        return this.answer(effect.text);
      case 'message':
        this.gate.take(effect, effect.text.length);
        if (!this.carrier.canHoldBack && this.gate.queuedSize > MAX_PAUSED_BYTES) this.#fail('slow-receiver');
        return;
      case 'base-answer':
        return this.#events.baseAnswer(effect.envelope);
      case 'challenge':
        return this.#events.challenge(effect.app, effect.challenge);
      case 'ready':
        clearTimeout(this.#loginTimer);
        return this.#events.ready(effect.domain);
      case 'refused':
        this.#error = new AppWebsocketError('login-failed', { reason: effect.errorText });
        return;
      case 'close':
        return this.close(this.#error ?? new AppWebsocketError(errorOfClose(effect.code)), effect.code);
    }
  }

  #onClosed(code: number, reason: string, cause: unknown): void {
    clearTimeout(this.#loginTimer);
    clearTimeout(this.#aliveTimer);
    if (!this.#isOver) {
      this.#isOver = true;
      const error = this.#state.phase === 'ready' ? 'connection-lost' : 'connect-failed';
      const why = cause instanceof Error ? cause.message : `${code} ${reason}`.trim();
      this.#error = new AppWebsocketError(error, { reason: why, cause });
    }
    // What was read before the close is delivered before it.
    this.gate.end(() => this.#events.closed(this.#error));
  }

  #holdBack(isHeld: boolean): void {
    this.#isHeld = isHeld;
    this.#heard();
    this.carrier.holdBack(isHeld);
  }

  /** AW §5.4: KeepAlive when nothing was heard; a peer that has shown that it answers, and stays silent, is dead. */
  #watch(keepAliveMs: number): void {
    const { deadAfterMs = PEER_DEAD_MS } = this.#options;
    const silentMs = performance.now() - this.#heardAtMs;
    // While reading is held back, silence says nothing; nor does it where this program was too busy to ask twice.
    const isDead = deadAfterMs > 0 && silentMs >= deadAfterMs && this.#unanswered > 1 && !this.#isHeld;
    // Pongs always come, echoes of KeepAlive from some peers only.
    if (isDead && (this.#hasHeardEcho || this.carrier.ping())) return this.#fail('peer-silent');
    const isQuiet = silentMs >= keepAliveMs;
    if (isQuiet && !this.#isOver) {
      this.#unanswered++;
      this.answer(KEEP_ALIVE_TEXT);
      this.carrier.ping();
    }
    this.#aliveTimer = setTimeout(() => this.#watch(keepAliveMs), isQuiet ? keepAliveMs : keepAliveMs - silentMs);
  }
}

function errorOfClose(code: number): ErrorCode {
  if (code === 1009) return 'message-too-big';
  return code === 1002 ? 'protocol-error' : 'login-timeout';
}
