import { Problem, unreachable } from '../../kit/index.ts';
import type { Action, Actor } from './model.ts';
import { USER_LOGIN_APIS } from './user-apis.ts';

/** The one permission model. Pure: `true`, or the reason for a no. */
export function decide(actor: Actor, action: Action): true | string {
  switch (actor.kind) {
    case 'server':
      return true;
    case 'user':
      return decideUser(actor, action);
    case 'app':
      return decideApp(actor, action);
    case 'telephone':
      return decideTelephone(actor, action);
    case 'anonymous':
      return 'Sign in first.';
    default:
      return unreachable(actor);
  }
}

/** @throws Problem `forbidden` with the reason. */
export function demand(actor: Actor, action: Action): void {
  const verdict = decide(actor, action);
  if (verdict !== true) throw new Problem('forbidden', verdict);
}

function decideUser(actor: Extract<Actor, { kind: 'user' }>, action: Action): true | string {
  switch (action.do) {
    case 'use-api':
      return USER_LOGIN_APIS.includes(action.api) || 'This API needs the login of an App object.';
    case 'see-presence':
      return true;
    case 'administer':
      return actor.admin || 'Only administrators may do this.';
    case 'chat':
      return action.as === actor.user || actor.admin || 'This acts for another user.';
    case 'receive':
    case 'read-history':
    case 'set-presence':
    case 'edit-contacts':
    case 'listen-calls':
    case 'control-calls':
      return action.of === actor.user || actor.admin || 'This belongs to another user.';
    default:
      return unreachable(action);
  }
}

function decideApp(actor: Extract<Actor, { kind: 'app' }>, action: Action): true | string {
  const has = (api: (typeof actor.grants)[number]): true | string =>
    actor.grants.includes(api) || `The App object is not granted ${api}.`;
  switch (action.do) {
    case 'use-api':
      return has(action.api);
    case 'see-presence':
    case 'set-presence':
      return has('PbxApi');
    case 'listen-calls':
    case 'control-calls':
      return has('RCC');
    case 'read-history':
      return has('PbxMessages');
    case 'administer':
      return has('PbxAdminApi');
    case 'chat':
      return action.as === actor.id ? has('PbxSignal') : 'An App object does not act for a user here.';
    case 'receive':
    case 'edit-contacts':
      return action.of === actor.id || 'An App object does not act for a user here.';
    default:
      return unreachable(action);
  }
}

function decideTelephone(actor: Extract<Actor, { kind: 'telephone' }>, action: Action): true | string {
  if (action.do !== 'listen-calls' && action.do !== 'control-calls')
    return 'An application session grants a telephone only.';
  return action.number === actor.number || 'This is the telephone of somebody else.';
}
