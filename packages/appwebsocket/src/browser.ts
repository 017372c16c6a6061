export * from './crypto/digests.ts';
export * from './crypto/myapps.ts';
export * from './handshake/received-login.ts';
export * from './handshake/password-login.ts';
export * from './issue/issued-login.ts';
export * from './wire/bounds.ts';
export * from './wire/envelope.ts';
export * from './wire/errors.ts';
