import { appLoginDigest, appSessionKey } from '../crypto/digests.ts';
import { spliceInfo } from '../issue/issued-login.ts';
import { isBaseMessage } from '../wire/base-messages.ts';
import { MAX_MESSAGE_BEFORE_LOGIN_BYTES, MAX_MESSAGE_BYTES } from '../wire/bounds.ts';
import type { Envelope } from '../wire/envelope.ts';
import { exceedsBytes, parseEnvelope, textOf } from '../wire/envelope.ts';
import type {
  Credentials,
  InitiatorInput,
  InitiatorSettings,
  InitiatorState,
  InitiatorStep,
  PasswordCredentials,
} from './initiator-model.ts';

/** The state before the WebSocket is open. */
export function initiatorStart(settings: Pick<InitiatorSettings, 'app'>): InitiatorState {
  return {
    phase: 'connecting',
    app: settings.app,
    challenge: undefined,
    isWaitingForAuth: false,
    sessionKey: undefined,
  };
}

const stay = (state: InitiatorState): InitiatorStep => ({ state, effects: [] });

/** One step of the end that logs in (AW §3, §8.4): pure; the caller carries the effects out in their order. */
export function initiatorStep(
  state: InitiatorState,
  input: InitiatorInput,
  settings: InitiatorSettings,
): InitiatorStep {
  if (input.type === 'closed') return stay({ ...state, phase: 'closed', isWaitingForAuth: false });
  if (state.phase === 'closed' || state.phase === 'refused') return stay(state);
  switch (input.type) {
    case 'opened':
      return state.phase === 'connecting' ? onOpened(state, settings) : stay(state);
    case 'text':
      return onText(state, input.text, settings);
    case 'auth':
      return state.isWaitingForAuth ? sendLogin(state, input.credentials) : stay(state);
    case 'login-timeout':
      return state.phase === 'ready' ? stay(state) : close(state, 1000, 'no login in time');
  }
}

function close(state: InitiatorState, code: number, reason: string): InitiatorStep {
  return { state: { ...state, phase: 'closed', isWaitingForAuth: false }, effects: [{ type: 'close', code, reason }] };
}

function onOpened(state: InitiatorState, settings: InitiatorSettings): InitiatorStep {
  const { user, appObj, checkBuildUrl } = settings;
  const texts = [JSON.stringify({ mt: 'AppChallenge', user, appObj })];
  if (checkBuildUrl !== undefined) texts.unshift(JSON.stringify({ mt: 'CheckBuild', url: checkBuildUrl }));
  return { state: { ...state, phase: 'open' }, effects: texts.map((text) => ({ type: 'send', text })) };
}

function onText(state: InitiatorState, text: string, settings: InitiatorSettings): InitiatorStep {
  const isReady = state.phase === 'ready';
  if (exceedsBytes(text, isReady ? MAX_MESSAGE_BYTES : MAX_MESSAGE_BEFORE_LOGIN_BYTES)) {
    return close(state, 1009, 'message too big');
  }
  const envelope = parseEnvelope(text);
  if (envelope === undefined) return isReady ? stay(state) : close(state, 1002, 'not an AppWebsocket message');
  if (envelope.api !== undefined || !isBaseMessage(envelope.mt)) {
    return isReady ? { state, effects: [{ type: 'message', envelope, text }] } : stay(state);
  }
  return onBase(state, envelope, settings);
}

function onBase(state: InitiatorState, envelope: Envelope, settings: InitiatorSettings): InitiatorStep {
  switch (envelope.mt) {
    case 'AppChallengeResult':
      return state.phase === 'open' ? onChallenge(state, envelope, settings) : stay(state);
    case 'AppLoginResult':
      return state.phase === 'challenged' && !state.isWaitingForAuth
        ? onResult(state, envelope, settings)
        : stay(state);
    case 'CheckBuildResult':
    case 'AppInfoResult':
    case 'AppCheckLoginResult':
      return { state, effects: [{ type: 'base-answer', envelope }] };
    default:
      // A KeepAlive is never answered by this end: no echo loop (AW §5.4).
      return stay(state);
  }
}

function onChallenge(state: InitiatorState, envelope: Envelope, settings: InitiatorSettings): InitiatorStep {
  // Early acceptors sent a number (AW §3.2).
  const challenge = textOf(envelope.message['challenge']);
  const challenged: InitiatorState = { ...state, phase: 'challenged', challenge };
  const { app, credentials } = settings;
  if (credentials !== undefined) return sendLogin(challenged, signedWith(credentials, app, challenge));
  return {
    state: { ...challenged, isWaitingForAuth: true },
    effects: [{ type: 'challenge', app, challenge, envelope }],
  };
}

function signedWith(credentials: PasswordCredentials, app: string, challenge: string): Credentials {
  const { password, ...identity } = credentials;
  const digest = appLoginDigest({ app, ...identity }, challenge, password);
  return { app, ...identity, digest, key: appSessionKey(challenge, password) };
}

/** The session key is known here and stays here: it is never sent (AW §3.3). */
function sendLogin(state: InitiatorState, credentials: Credentials): InitiatorStep {
  const { app = state.app, domain = '', sip = '', guid = '', dn = '', pbxObj, info, digest, key } = credentials;
  const members = { mt: 'AppLogin', app, domain, sip, guid, dn, digest, pbxObj };
  return {
    state: { ...state, isWaitingForAuth: false, sessionKey: key },
    effects: [{ type: 'send', text: spliceInfo(members, info) }],
  };
}

function onResult(state: InitiatorState, envelope: Envelope, settings: InitiatorSettings): InitiatorStep {
  const { ok, domain, errorText } = envelope.message;
  if (ok !== true && ok !== 1) {
    const reason = typeof errorText === 'string' ? errorText : undefined;
    return {
      state: { ...state, phase: 'refused', sessionKey: undefined },
      effects: [
        { type: 'refused', errorText: reason },
        { type: 'close', code: 1000, reason: 'login refused' },
      ],
    };
  }
  const afterLogin = (settings.afterLogin ?? []).map((text) => ({ type: 'send', text }) as const);
  return {
    state: { ...state, phase: 'ready' },
    effects: [...afterLogin, { type: 'ready', domain: textOf(domain), sessionKey: state.sessionKey }],
  };
}
