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
import { AppWebsocketError } from '../wire/errors.ts';
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
  challenge(app: string, challenge: string, envelope: Envelope): void;
  ready(domain: string): void;
  message(envelope: Envelope, text: string): void;
  baseAnswer(envelope: Envelope): void;
  /** Once and last. Without an error it was closed from this side. */
  closed(error: AppWebsocketError | undefined): void;
}

/** One life of an initiator's connection: socket, handshake, KeepAlive, flow control. */
export class Link {
  readonly gate: FlowGate<{ readonly envelope: Envelope; readonly text: string }>;
  private readonly options: LinkOptions;
  private readonly events: LinkEvents;
  private readonly carrier: Carrier;
  private state;
  private error: AppWebsocketError | undefined;
  private isClosing = false;
  private loginTimer: ReturnType<typeof setTimeout> | undefined;
  private aliveTimer: ReturnType<typeof setTimeout> | undefined;
  private trafficAtMs = Date.now();
  private heardAtMs = Date.now();
  private hasHeardEcho = false;
  private isHeld = false;

  constructor(options: LinkOptions, events: LinkEvents) {
    this.options = options;
    this.events = events;
    this.state = initiatorStart(options.settings);
    this.gate = new FlowGate(
      ({ envelope, text }) => {
        if (!this.isClosing) events.message(envelope, text);
      },
      (isHeld) => this.holdBack(isHeld),
    );
    this.carrier = openCarrier(
      options.url,
      {
        opened: () => this.onOpened(),
        text: (text) => this.onText(text),
        alive: () => this.heard(),
        closed: (code, reason, cause) => this.onClosed(code, reason, cause),
      },
      options,
    );
  }

  get sessionKey(): string | undefined {
    return this.state.phase === 'ready' ? this.state.sessionKey : undefined;
  }

  get bufferedBytes(): number {
    return this.carrier.bufferedBytes;
  }

  drained(): Promise<void> {
    return this.carrier.drained();
  }

  send(text: string): void {
    this.trafficAtMs = Date.now();
    this.carrier.send(text);
    if (this.carrier.bufferedBytes > MAX_SEND_BUFFER_BYTES) this.fail('slow-peer', 1013);
  }

  auth(credentials: Credentials): void {
    this.step({ type: 'auth', credentials });
  }

  /** Ends this life. `error` says why, where it was not wished for. */
  close(error?: AppWebsocketError, code = 1000): void {
    if (this.isClosing) return;
    this.isClosing = true;
    this.error = error;
    this.gate.clear();
    this.carrier.close(code, error?.code ?? '');
  }

  private fail(code: ErrorCode, closeCode: number): void {
    this.close(new AppWebsocketError(code), closeCode);
    if (code === 'slow-peer' || code === 'peer-silent') this.carrier.destroy();
  }

  private onOpened(): void {
    if (this.isClosing) return;
    const { loginTimeoutMs = LOGIN_TIMEOUT_MS, keepAliveMs = KEEP_ALIVE_MS } = this.options;
    this.loginTimer = setTimeout(() => this.step({ type: 'login-timeout' }), loginTimeoutMs);
    this.heard();
    if (keepAliveMs > 0) this.watch(keepAliveMs);
    this.step({ type: 'opened' });
  }

  private onText(text: string): void {
    this.heard();
    if (!this.hasHeardEcho && text.length < 64 && text.includes('"KeepAlive"')) this.hasHeardEcho = true;
    if (!this.isClosing) this.step({ type: 'text', text });
  }

  private heard(): void {
    this.heardAtMs = this.trafficAtMs = Date.now();
  }

  private step(input: InitiatorInput): void {
    const { state, effects } = initiatorStep(this.state, input, this.options.settings);
    this.state = state;
    for (const effect of effects) this.carryOut(effect);
  }

  private carryOut(effect: InitiatorEffect): void {
    switch (effect.type) {
      case 'send':
        return this.send(effect.text);
      case 'message':
        this.gate.take(effect, effect.text.length);
        if (!this.carrier.canHoldBack && this.gate.queuedSize > MAX_PAUSED_BYTES) this.fail('slow-receiver', 1013);
        return;
      case 'base-answer':
        return this.events.baseAnswer(effect.envelope);
      case 'challenge':
        return this.events.challenge(effect.app, effect.challenge, effect.envelope);
      case 'ready':
        clearTimeout(this.loginTimer);
        return this.events.ready(effect.domain);
      case 'refused':
        this.error = new AppWebsocketError('login-failed', { reason: effect.errorText });
        return;
      case 'close':
        return this.close(this.error ?? new AppWebsocketError(errorOfClose(effect.code)), effect.code);
    }
  }

  private onClosed(code: number, reason: string, cause: unknown): void {
    clearTimeout(this.loginTimer);
    clearTimeout(this.aliveTimer);
    const wasReady = this.state.phase === 'ready';
    this.state = initiatorStep(this.state, { type: 'closed' }, this.options.settings).state;
    if (!this.isClosing) {
      const why = reason === '' ? `closed with ${code}` : `closed with ${code} ${reason}`;
      const error = wasReady ? 'connection-lost' : 'connect-failed';
      this.error ??= new AppWebsocketError(error, { reason: cause instanceof Error ? cause.message : why, cause });
    }
    // What was read before the close is delivered before it.
    this.gate.end(() => this.events.closed(this.error));
  }

  private holdBack(isHeld: boolean): void {
    this.isHeld = isHeld;
    if (!isHeld) this.heard();
    this.carrier.holdBack(isHeld);
  }

  /** AW §5.4: KeepAlive when idle; a peer that has shown that it answers, and stays silent, is dead. */
  private watch(keepAliveMs: number): void {
    const { deadAfterMs = PEER_DEAD_MS } = this.options;
    const nowMs = Date.now();
    const silentMs = nowMs - this.heardAtMs;
    const quietMs = Math.max(silentMs, nowMs - this.trafficAtMs);
    // While reading is held back, silence says nothing. Pongs always come, echoes of KeepAlive from some peers only.
    if (deadAfterMs > 0 && !this.isHeld && silentMs >= deadAfterMs && (this.hasHeardEcho || this.carrier.ping())) {
      return this.fail('peer-silent', 1000);
    }
    const isQuiet = quietMs >= keepAliveMs;
    if (isQuiet && !this.isClosing) {
      this.send(KEEP_ALIVE_TEXT);
      this.carrier.ping();
    }
    this.aliveTimer = setTimeout(() => this.watch(keepAliveMs), isQuiet ? keepAliveMs : keepAliveMs - quietMs);
  }
}

function errorOfClose(code: number): ErrorCode {
  if (code === 1009) return 'message-too-big';
  return code === 1002 ? 'protocol-error' : 'login-timeout';
}
