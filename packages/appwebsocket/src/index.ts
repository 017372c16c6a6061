/** What Node gets: all that browsers get, and the end that accepts logins. See browser.ts and myapps.ts. */
export * from './browser.ts';
export * from './session/login-from-myapps.ts';

// An app service: accepts pages, other services and PBXs (AW §8.2, §8.4).
export * from './service/app-service.ts';
export * from './service/service-connection.ts';
export * from './service/service-options.ts';
export * from './service/api-object.ts';
export * from './service/json-api.ts';
export * from './service/pbx-api.ts';
export * from './service/limits.ts';
export * from './service/web-login.ts';

// What a PBX does: connection A, and the logins it issues (AW §3.9, §6.3, §7.2).
export * from './issue/app-object-connection.ts';
export * from './issue/issued-login.ts';
export * from './issue/login-info.ts';
export * from './issue/pbx-logins.ts';

// The parts, for programs with a transport of their own: pure steps, digests, messages.
export * from './handshake/acceptor.ts';
export * from './handshake/acceptor-model.ts';
export * from './handshake/identity.ts';
export * from './handshake/initiator.ts';
export * from './handshake/initiator-model.ts';
export * from './handshake/password-login.ts';
export * from './handshake/received-login.ts';
export * from './session/api-caller.ts';
export * from './session/requester.ts';
export * from './client/back-off.ts';
export * from './crypto/digests.ts';
export * from './crypto/myapps.ts';
export * from './wire/app-url.ts';
export * from './wire/base-messages.ts';
export * from './wire/bounds.ts';
export * from './wire/check-build.ts';
export * from './wire/envelope.ts';
export * from './wire/errors.ts';
export * from './wire/pbx-info.ts';
