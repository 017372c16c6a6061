import { appSessionKey } from '../crypto/digests.ts';
import { parsePbxInfo } from '../wire/pbx-info.ts';
import { isBaseMessage, KEEP_ALIVE_TEXT } from '../wire/base-messages.ts';
import {
  CHALLENGE_LIFETIME_MS,
  MAX_MESSAGE_BEFORE_LOGIN_BYTES,
  MAX_MESSAGE_BYTES,
  MAX_PENDING_CHECKS,
  REFUSED_LINGER_MS,
} from '../wire/bounds.ts';
import { buildRedirect } from '../wire/check-build.ts';
import type { Envelope } from '../wire/envelope.ts';
import { answerText, exceedsBytes, parseEnvelope, textOf } from '../wire/envelope.ts';
import type {
  AcceptorEffect,
  AcceptorEnvironment,
  AcceptorInput,
  AcceptorSettings,
  AcceptorState,
  AcceptorStep,
  PasswordAnswer,
  PasswordRequest,
  PendingLogin,
} from './acceptor-model.ts';
import { identityOf, isSameIdentity } from './identity.ts';
import type { ReceivedLogin } from './received-login.ts';
import { appNameOf, matchingPassword, parseLogin } from './received-login.ts';

/** The one text for unknown app, wrong password and missing challenge (AW §3.6). */
export const LOGIN_FAILED_TEXT = 'login failed';

/** The state of a connection just opened. */
export function acceptorStart(): AcceptorState {
  return {
    phase: 'open',
    challenge: undefined,
    verifying: undefined,
    checks: [],
    nextTicket: 1,
    identity: undefined,
    sessionKey: undefined,
  };
}

interface Context {
  readonly environment: AcceptorEnvironment;
  readonly settings: AcceptorSettings;
}

const stay = (state: AcceptorState): AcceptorStep => ({ state, effects: [] });
const send = (state: AcceptorState, text: string): AcceptorStep => ({ state, effects: [{ type: 'send', text }] });
const isOver = (state: AcceptorState): boolean => state.phase === 'refused' || state.phase === 'closed';

/**
 * One step of the accepting end (AW §3, §5, §8.4): pure; the caller carries the effects out in their order.
 * Drive it with whatever carries text: it needs no socket.
 */
export function acceptorStep(
  state: AcceptorState,
  input: AcceptorInput,
  environment: AcceptorEnvironment,
  settings: AcceptorSettings = {},
): AcceptorStep {
  if (input.type === 'closed')
    return stay({ ...state, phase: 'closed', challenge: undefined, verifying: undefined, checks: [] });
  if (isOver(state)) return stay(state);
  const context = { environment, settings };
  switch (input.type) {
    case 'text':
      return onText(state, input.text, context);
    case 'looked-up':
      return onLookedUp(state, input.ticket, input.answer, context);
    case 'login-timeout':
      return state.phase === 'ready' ? stay(state) : close(state, 1008, 'no login in time');
  }
}

function close(state: AcceptorState, code: number, reason: string): AcceptorStep {
  return {
    state: { ...state, phase: 'closed', challenge: undefined, verifying: undefined, checks: [] },
    effects: [{ type: 'close', code, reason, afterMs: 0 }],
  };
}

function onText(state: AcceptorState, text: string, context: Context): AcceptorStep {
  const isReady = state.phase === 'ready';
  if (exceedsBytes(text, isReady ? MAX_MESSAGE_BYTES : MAX_MESSAGE_BEFORE_LOGIN_BYTES)) {
    return close(state, 1009, 'message too big');
  }
  const envelope = parseEnvelope(text);
  // AW §2 rule 6.
  if (envelope === undefined) return isReady ? stay(state) : close(state, 1002, 'not an AppWebsocket message');
  if (envelope.api !== undefined || !isBaseMessage(envelope.mt)) {
    // AW §3.6: libraries are known to send requests before, and in spite of, the result of their login.
    return isReady ? { state, effects: [{ type: 'message', envelope, text }] } : stay(state);
  }
  return onBase(state, envelope, text, context);
}

function onBase(state: AcceptorState, envelope: Envelope, text: string, context: Context): AcceptorStep {
  const { settings, environment } = context;
  switch (envelope.mt) {
    case 'KeepAlive':
      return send(state, KEEP_ALIVE_TEXT);
    case 'CheckBuild': {
      const url = buildRedirect(textOf(envelope.message['url']), settings.build);
      return send(state, answerText(envelope, url === undefined ? {} : { url }));
    }
    case 'AppChallenge': {
      const challenge = { text: environment.newChallenge(), issuedAtMs: environment.nowMs };
      const phase = state.phase === 'open' ? 'challenged' : state.phase;
      return send({ ...state, phase, challenge }, answerText(envelope, { challenge: challenge.text }));
    }
    case 'AppLogin':
      return onLogin(state, envelope, text, environment.nowMs);
    default:
      return state.phase === 'ready' ? onReadyBase(state, envelope, context) : stay(state);
  }
}

function onReadyBase(state: AcceptorState, envelope: Envelope, { settings }: Context): AcceptorStep {
  const isService = settings.role !== 'pbx';
  if (envelope.mt === 'AppCheckLogin') return onCheckLogin(state, envelope);
  if (envelope.mt === 'AppInfo' && isService) {
    const app = textOf(envelope.message['app']);
    return send(state, answerText(envelope, { app, ...settings.appInfo?.(app) }));
  }
  // AW §5.3: from anybody but an App object it is ignored, else any user could pose as the PBX.
  if (envelope.mt === 'PbxInfo' && isService && state.identity?.isAppObject === true) {
    return { state, effects: [{ type: 'pbx-info', info: parsePbxInfo(envelope.message) }] };
  }
  return stay(state);
}

/** The challenge is consumed whatever comes of the login (AW §3.2). */
function onLogin(state: AcceptorState, request: Envelope, text: string, nowMs: number): AcceptorStep {
  const { challenge, verifying } = state;
  const used = { ...state, challenge: undefined };
  const isFresh = challenge !== undefined && nowMs - challenge.issuedAtMs <= CHALLENGE_LIFETIME_MS;
  const login = parseLogin(text, request);
  if (!isFresh || verifying !== undefined || login === undefined) return refuse(used, request, undefined);
  const ticket = state.nextTicket;
  const pending = { ticket, login, challenge: challenge.text, request };
  return {
    state: {
      ...used,
      phase: state.phase === 'ready' ? 'ready' : 'verifying',
      verifying: pending,
      nextTicket: ticket + 1,
    },
    effects: [{ type: 'lookup', ticket, request: passwordRequest('login', pending) }],
  };
}

function passwordRequest(purpose: 'login' | 'check', { login, challenge }: PendingLogin): PasswordRequest {
  const { domain, sip, guid, dn, pbxObj, info } = login;
  return { purpose, app: appNameOf(login), domain, sip, guid, dn, pbxObj, info, challenge, login };
}

/** AW §3.7: digest over app and domain only. */
function onCheckLogin(state: AcceptorState, request: Envelope): AcceptorStep {
  if (state.checks.length >= MAX_PENDING_CHECKS) return send(state, answerText(request));
  const { app, domain, digest, challenge } = request.message;
  const login: ReceivedLogin = {
    app: textOf(app),
    domain: textOf(domain),
    digest: textOf(digest),
    sip: '',
    guid: '',
    dn: '',
    pbxObj: undefined,
    info: undefined,
    infoTexts: [],
  };
  const pending = { ticket: state.nextTicket, login, challenge: textOf(challenge), request };
  return {
    state: { ...state, checks: [...state.checks, pending], nextTicket: state.nextTicket + 1 },
    effects: [{ type: 'lookup', ticket: pending.ticket, request: passwordRequest('check', pending) }],
  };
}

function onLookedUp(state: AcceptorState, ticket: number, answer: PasswordAnswer, context: Context): AcceptorStep {
  if (state.verifying?.ticket === ticket) return finishLogin(state, state.verifying, answer, context);
  const check = state.checks.find((pending) => pending.ticket === ticket);
  if (check === undefined) return stay(state);
  const isEqual = outcomeOf(check, answer).sessionKey !== undefined;
  const checks = state.checks.filter((pending) => pending !== check);
  return send({ ...state, checks }, answerText(check.request, isEqual ? { ok: true } : {}));
}

interface Outcome {
  readonly sessionKey: string | undefined;
  readonly passwordIndex: number;
  readonly errorText: string | undefined;
}

function outcomeOf(pending: PendingLogin, answer: PasswordAnswer): Outcome {
  const refused = { sessionKey: undefined, passwordIndex: -1, errorText: undefined };
  if ('refuse' in answer) return { ...refused, errorText: answer.refuse };
  if ('accept' in answer) return { ...refused, sessionKey: answer.accept.sessionKey };
  const { login, challenge } = pending;
  const passwordIndex = matchingPassword(login, challenge, answer.passwords);
  const password = answer.passwords[passwordIndex];
  return password === undefined
    ? refused
    : { sessionKey: appSessionKey(challenge, password), passwordIndex, errorText: undefined };
}

function finishLogin(
  state: AcceptorState,
  pending: PendingLogin,
  answer: PasswordAnswer,
  context: Context,
): AcceptorStep {
  const { sessionKey, passwordIndex, errorText } = outcomeOf(pending, answer);
  if (sessionKey === undefined) return refuse(state, pending.request, errorText);
  const identity = identityOf(pending.login);
  const isAgain = state.identity !== undefined;
  if (isAgain && !isSameIdentity(state.identity, identity)) return refuse(state, pending.request, undefined);
  const objection = context.settings.admit?.(identity);
  if (objection !== undefined) return refuse(state, pending.request, objection);
  const domain = context.settings.domain ?? identity.domain;
  return {
    state: { ...state, phase: 'ready', verifying: undefined, identity, sessionKey },
    effects: [
      { type: 'send', text: answerText(pending.request, { ok: true, domain }) },
      { type: 'ready', identity, sessionKey, passwordIndex, isAgain },
    ],
  };
}

/** No numeric `error` here: one known client could not decode it (AW §3.6). */
function refuse(state: AcceptorState, request: Envelope, errorText: string | undefined): AcceptorStep {
  const text = answerText(request, { ok: false, errorText: errorText ?? LOGIN_FAILED_TEXT });
  const effects: readonly AcceptorEffect[] = [
    { type: 'send', text },
    { type: 'failed' },
    { type: 'close', code: 1000, reason: 'login failed', afterMs: REFUSED_LINGER_MS },
  ];
  return { state: { ...state, phase: 'refused', challenge: undefined, verifying: undefined, checks: [] }, effects };
}
