import { expect } from 'vitest';
import { type Json, PbxApp } from './pbx-app.ts';

/** A user's device, registered. */
export async function device(port: number, name: string, fields: Json = {}): Promise<PbxApp> {
  const app = await PbxApp.signIn(port, { sip: name });
  expect((await app.register({ hw: `chat-${name}`, ...fields }))['err']).toBeUndefined();
  return app;
}

/** The `setup` of a chat call. */
export function setUp(app: PbxApp, call: number, to: string, more: Json = {}): void {
  const chat = { bc: 'a880', channel: 0, complete: true, fty: [{ type: 'im_setup' }] };
  app.signal(call, { type: 'setup', cd: { sip: to }, ...chat, ...more });
}

export const textsOf = (app: PbxApp): unknown[] => app.texts.map((text) => text['data']);

/** Every `sig` of this type that came. */
export const signalsOf = (app: PbxApp, type: string): Json[] =>
  app.received.map((m) => (m['sig'] ?? {}) as Json).filter((sig) => sig['type'] === type);

export const causesOf = (app: PbxApp): unknown[] => signalsOf(app, 'rel').map((sig) => (sig['cau'] as Json)['num']);
